/** The look of the readable page; the values are those of the portal's pages. */
export const docsStyle: string = `
:root {
  color-scheme: light dark;
  --paper: #f6f5f0; --surface: #ffffff; --sunken: #f1efe8; --hair: #dedbd0;
  --ink: #1b2321; --ink-soft: #505a57; --accent: #0b5d54; --focus: #a25a00;
  --good: #17562c; --good-soft: #def0e2; --warn: #6d4400; --warn-soft: #fbeccb;
  --bad: #98220f; --bad-soft: #fae5df; --note: #1d4977; --note-soft: #e1ecf7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111514; --surface: #1a1f1e; --sunken: #141918; --hair: #2f3735;
    --ink: #e8ebe9; --ink-soft: #aab4b0; --accent: #62cbb8; --focus: #f2b65c;
    --good: #a0dcb1; --good-soft: #16331f; --warn: #f4cd83; --warn-soft: #382b10;
    --bad: #ffb3a2; --bad-soft: #421c14; --note: #a9cff5; --note-soft: #172e46;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-top: 1.5rem; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 400 0.9375rem / 1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
h1, h2, h3, h4 { line-height: 1.25; margin: 0; text-wrap: balance; }
h1 { font-size: 1.75rem; letter-spacing: -0.015em; }
h2 { font-size: 1.3125rem; }
h3 { font-size: 1.0625rem; }
h4 { font-size: 0.875rem; margin-top: 1.25rem; color: var(--ink-soft); }
p, dl { margin: 0.625rem 0 0; }
p { max-width: 44rem; }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 0.1875rem solid var(--focus); outline-offset: 0.125rem; border-radius: 0.25rem; }
main:focus { outline: none; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: 0.925em; }
.skip { position: absolute; left: 0.75rem; top: -10rem; z-index: 2; padding: 0.75rem 1rem; background: var(--surface); }
.skip:focus { top: 0.75rem; }
header { padding: 1.5rem; border-bottom: 0.0625rem solid var(--hair); }
header p { margin: 0; }
.brand { font-size: 1.125rem; font-weight: 650; text-decoration: none; }
nav .group { margin-top: 1.25rem; font-size: 0.8125rem; font-weight: 650; color: var(--ink-soft); }
nav ul { list-style: none; margin: 0.5rem 0 0; padding: 0; }
nav a { display: inline-block; padding: 0.1875rem 0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { padding: 1.5rem; max-width: 60rem; }
main > section { margin-top: 3rem; }
.lead { font-size: 1.0625rem; color: var(--ink-soft); }
.operation, .part {
  margin-top: 1rem; padding: 1.25rem; border: 0.0625rem solid var(--hair); border-radius: 0.625rem;
  background: var(--surface);
}
.operation:target, .part:target, .answers > :target { outline: 0.125rem solid var(--accent); }
.address { font-size: 1rem; }
.method {
  display: inline-block; min-width: 4.25rem; padding: 0.0625rem 0.5rem; border-radius: 0.375rem; text-align: center;
  font-weight: 650; font-size: 0.8125rem; background: var(--note-soft); color: var(--note);
}
.method[data-method="POST"] { background: var(--good-soft); color: var(--good); }
.method[data-method="PATCH"], .method[data-method="PUT"] { background: var(--warn-soft); color: var(--warn); }
.method[data-method="DELETE"] { background: var(--bad-soft); color: var(--bad); }
.who, .optional, .type { color: var(--ink-soft); }
.optional { font-size: 0.8125rem; font-style: italic; }
dl > div { padding: 0.5rem 0; border-top: 0.0625rem solid var(--hair); }
dl > div:first-child { border-top: 0; }
dd { margin: 0; }
dd p { margin-top: 0.125rem; }
dd dl { margin-left: 1rem; padding-left: 0.75rem; border-left: 0.125rem solid var(--hair); }
.answers dt { font-weight: 600; }
@media (max-width: 61.99rem) {
  .groups { columns: 11rem; column-gap: 1.5rem; }
  .groups > div { break-inside: avoid; }
}
@media (min-width: 62rem) {
  body { display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
  header { position: sticky; top: 0; height: 100vh; overflow-y: auto; border: 0; border-right: 0.0625rem solid var(--hair); }
  main { padding: 2.5rem 3rem 5rem; }
  .answers > div { display: grid; grid-template-columns: 11rem minmax(0, 1fr); gap: 1rem; }
  .operation .answers > div { grid-template-columns: 4rem minmax(0, 1fr); }
}
@media print { header { display: none; } .operation, .part { break-inside: avoid; } }
`;
