// Everything here only makes quicker what works without it.
import { startCopyButtons } from './copy.js';
import { startConfirmDialogs } from './confirm-dialog.js';
import { startFirstUse } from './first-use.js';
import { startSelectAll } from './select-all.js';

startCopyButtons(document);
startConfirmDialogs(document);
startFirstUse(document);
startSelectAll(document);

// What was shown once has no address of its own: reloading goes to the page about it, not through the form again.
const settled = document.querySelector('[data-settle]')?.getAttribute('data-settle');
if (settled) history.replaceState(null, '', settled);
