const soonMs = 2_000;
const laterMs = 10_000;
const soonForMs = 120_000;
const giveUpAfterMs = 1_800_000;

/** Asks until the token has been used once, then says from where. Rests while nobody looks. */
export function startFirstUse(root) {
  for (const line of root.querySelectorAll('[data-first-use]')) void watch(line);
}

async function watch(line) {
  line.classList.add('waiting');
  const startedAt = Date.now();
  while (Date.now() - startedAt < giveUpAfterMs) {
    await rest(Date.now() - startedAt < soonForMs ? soonMs : laterMs);
    if (document.hidden) continue;
    const answer = await ask(line.dataset.firstUse);
    if (answer === 'over') break;
    if (answer?.text) {
      line.classList.add('connected');
      line.textContent = answer.text;
      break;
    }
  }
  line.classList.remove('waiting');
}

async function ask(address) {
  try {
    const response = await fetch(address, { headers: { accept: 'application/json' } });
    if (response.ok) return await response.json();
    return response.status < 500 ? 'over' : null;
  } catch {
    return null;
  }
}

function rest(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
