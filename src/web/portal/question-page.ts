import { type CarriedFields, carried } from './confirm-page.ts';
import type { Frame } from './frame.ts';
import { csrfField, renderPage, type Section } from './layout.ts';
import { html, type Markup, type Piece } from './markup.ts';

/** A question before something that cannot be taken back. */
export interface Question {
  readonly title: string;
  readonly section: Section;
  readonly text: Piece;
  /** Where "yes" is sent. */
  readonly action: string;
  readonly fields: CarriedFields;
  /** The words on the button that does it; null where there is nothing to do. */
  readonly yes: string | null;
  /** Where "no" leads. */
  readonly no: string;
}

/** A page of its own, which the script may show as a dialog instead. The focus is on the harmless answer. */
export function renderQuestion(frame: Frame, question: Question): Markup {
  return renderPage(frame, {
    title: question.title,
    section: question.section,
    body: html`<div class="narrow">
<section class="card stack" data-question>
<h1 id="question-title">${question.title}</h1>
${question.text}
<form method="post" action="${question.action}">${csrfField(frame)}${carried(question.fields)}
<div class="actions"><a class="button" href="${question.no}" data-cancel autofocus>${frame.texts.question.keep}</a>${question.yes !== null && html`<button class="button danger">${question.yes}</button>`}</div>
</form>
</section>
</div>`,
  });
}
