import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { Visitor } from './browser.ts';
import { run } from './child-process.ts';
import { eventually } from './eventually.ts';

/** What the panel shows of a token that was just made. */
export interface MadeToken {
  readonly id: string;
  /** The user name to be given to apps. */
  readonly user: string;
  readonly value: string;
  /** The first server address. */
  readonly server: string;
}

/** Signs in by the form, wherever the page led that was asked for. */
export async function signIn({ page }: Visitor, name: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
}

/** Opens the list, where somebody is signed in, and makes a token with what the form says by itself. */
export async function makeToken(visitor: Visitor, name: string): Promise<MadeToken> {
  const { page } = visitor;
  await visitor.go('/.latchkey/tokens/new');
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByRole('button', { name: 'Create token' }).click();
  return readMade(visitor, `“${name}” is ready`);
}

/** Makes one by the API, as a script of the page could: quicker than the form. Somebody has to be signed in. */
export async function orderToken(
  visitor: Visitor,
  name: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<MadeToken> {
  const { page } = visitor;
  const origin = new URL(page.url()).origin;
  const answer = await page.request.post(`${origin}/.latchkey/api/v1/tokens`, {
    headers: { 'X-CSRF-Token': await page.locator('input[name=csrf]').first().inputValue() },
    data: { name, scopes: ['*'], ...settings },
  });
  assert.equal(answer.status(), 201, await answer.text());
  const { token, value } = (await answer.json()) as {
    readonly token: { readonly id: string; readonly owner: { readonly name: string } };
    readonly value: string;
  };
  return { id: token.id, user: token.owner.name, value, server: `${origin}/` };
}

/** Reads the panel that shows a token's value once. */
export async function readMade({ page }: Visitor, title: string): Promise<MadeToken> {
  await page.getByRole('heading', { name: title }).waitFor();
  const id = /\/tokens\/([\w-]+)$/.exec(
    (await page.locator('[data-settle]').getAttribute('data-settle')) ?? '',
  );
  return {
    id: id?.[1] ?? '',
    user: await page.locator('#user').inputValue(),
    value: await page.locator('#token').inputValue(),
    server: await page.locator('#server-0').inputValue(),
  };
}

/** The status that curl gets with this token as the password; it looks at the folder unless told otherwise. */
export async function useWithCurl(
  { server, user, value }: Pick<MadeToken, 'server' | 'user' | 'value'>,
  method = 'PROPFIND',
  file = '',
): Promise<number> {
  const done = await run({
    label: 'curl',
    command: 'curl',
    args: [
      ...['-sS', '-o', '/dev/null', '-w', '%{http_code}', '-X', method, '-H', 'Depth: 0'],
      ...['-K', '-', server + file],
    ],
    input: `user = "${user}:${value}"\n`,
  });
  assert.equal(done.code, 0, done.stderr);
  return Number(done.stdout);
}

/** Waits until the token is refused everywhere. */
export async function refused(made: Pick<MadeToken, 'server' | 'user' | 'value'>): Promise<void> {
  await eventually('the token to be refused', async () => (await useWithCurl(made)) === 401);
}

/** The question about one token, wherever it is asked, answered with yes. */
export async function answerRevoke({ page }: Visitor, name: string): Promise<void> {
  const question = page.locator('[data-question]');
  await question.getByRole('heading', { name: `Revoke “${name}”?` }).waitFor();
  await question.getByRole('button', { name: 'Revoke token' }).click();
  await page.getByText('The token is revoked.').waitFor();
}

/** What the script says in the page; for questions that no locator answers. */
export async function ask<T>({ page }: Visitor, expression: string): Promise<T> {
  return page.evaluate<T>(expression);
}

/** Waits until the page has this heading of the first rank; a click does not wait for the page it leads to. */
export async function headed(page: Page, heading: string): Promise<void> {
  await page.getByRole('heading', { level: 1, name: heading, exact: true }).waitFor();
}
