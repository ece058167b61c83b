import type { WebContext } from '../context.ts';
import type { Problem } from '../problem.ts';
import type { Frame, Framing } from './frame.ts';
import { renderPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { paths } from './paths.ts';

/** What went wrong, for people. */
export interface ErrorView {
  readonly title: string;
  readonly text: string;
  /** True where someone could look into it: the request id is shown. */
  readonly isOurs: boolean;
}

/** A page that says what went wrong and where to go from here. */
export function renderError(frame: Frame, view: ErrorView): Markup {
  const { errors } = frame.texts;
  return renderPage(frame, {
    title: view.title,
    section: null,
    body: html`<div class="narrow stack">
<h1>${view.title}</h1>
<p class="lead">${view.text}</p>
${view.isOurs && html`<p class="soft">${errors.requestId} <code>${frame.requestId}</code></p>`}
<div class="actions"><a class="button primary" href="${paths.tokens}">${errors.home}</a></div>
</div>`,
  });
}

/** Answers problems that no page has answered: unknown addresses, forged forms, faults. */
export function createProblemPage(framing: Framing): (c: WebContext, problem: Problem) => Promise<Response> {
  return async (c, problem) => {
    // Its address may hold anything: nothing of it is repeated in a link.
    const frame = { ...framing(c), address: paths.tokens };
    return c.html(renderError(frame, problemView(frame, problem)), problem.status as 400);
  };
}

function problemView({ texts, language }: Frame, { status, code, detail }: Problem): ErrorView {
  const { errors } = texts;
  const isOurs = status >= 500;
  if (status === 503 || status === 504) return { title: errors.busy, text: errors.busyText, isOurs };
  if (isOurs) return { title: errors.fault, text: errors.faultText, isOurs };
  if (status === 413) return { title: errors.tooLarge, text: errors.tooLargeText, isOurs };
  if (code === 'form_expired' || code === 'foreign_request') {
    return { title: errors.forgery, text: errors.forgeryText, isOurs };
  }
  if (status === 403) return { title: errors.notAllowed, text: errors.notAllowedText, isOurs };
  if (status === 404) return { title: errors.notFound, text: errors.notFoundText, isOurs };
  return { title: errors.notUnderstood, text: language === 'en' ? detail : errors.notUnderstoodText, isOurs };
}
