/** Adds one box that ticks all others of its table, and counts them on the button. */
export function startSelectAll(root) {
  for (const all of root.querySelectorAll('[data-select-all]')) {
    const form = all.form;
    const boxes = [...form.querySelectorAll('input[name="id"]')];
    if (boxes.length < 2) continue;
    all.closest('[hidden]').hidden = false;
    const settle = () => {
      const ticked = boxes.filter((box) => box.checked).length;
      all.checked = ticked === boxes.length;
      all.indeterminate = ticked > 0 && ticked < boxes.length;
    };
    all.addEventListener('change', () => {
      for (const box of boxes) box.checked = all.checked;
      settle();
    });
    form.addEventListener('change', settle);
    settle();
  }
}
