/** Shows the page that asks "really?" as a dialog over this one, with the focus on the harmless answer. */
export function startConfirmDialogs(root) {
  for (const link of root.querySelectorAll('a[data-dialog]')) {
    link.addEventListener('click', (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      void ask(link);
    });
  }
}

async function ask(link) {
  const question = await read(link.href);
  if (!question) {
    location.assign(link.href);
    return;
  }
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'question-title');
  dialog.append(question);
  const cancel = dialog.querySelector('[data-cancel]');
  cancel?.addEventListener('click', (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  cancel?.focus();
}

// Not fetch and DOMParser: texts may not become HTML here (Trusted Types), a document that was loaded already is.
function read(address) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', address);
    request.responseType = 'document';
    request.addEventListener('loadend', () => {
      const isPage = request.status === 200 && request.responseURL === address;
      const question = isPage ? request.response?.querySelector('[data-question]') : null;
      resolve(question ? document.adoptNode(question) : null);
    });
    request.send();
  });
}
