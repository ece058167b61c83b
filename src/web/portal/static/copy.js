/** Shows the copy buttons and makes them work; plain HTTP has no clipboard, there the text is selected instead. */
export function startCopyButtons(root) {
  for (const button of root.querySelectorAll('[data-copy]')) {
    const source = document.getElementById(button.dataset.copy);
    const result = document.getElementById(button.dataset.result);
    if (!source || !result) continue;
    button.hidden = false;
    button.addEventListener('click', async () => {
      // Emptied first: saying the same again is a change only then.
      result.textContent = '';
      const isCopied = await copy(source);
      requestAnimationFrame(() => {
        result.textContent = isCopied ? button.dataset.copied : button.dataset.selected;
      });
    });
  }
  for (const field of root.querySelectorAll('.copyable input')) {
    field.addEventListener('focus', () => field.select());
  }
}

async function copy(source) {
  const text = 'value' in source ? source.value : source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select(source);
    return false;
  }
}

function select(source) {
  if ('select' in source) {
    source.focus();
    source.select();
    return;
  }
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
}
