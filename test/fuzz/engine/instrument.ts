/** Puts counters and comparison probes into source text, so that the fuzzer sees which code an input reaches. */
import { parseSync } from 'oxc-parser';

/** A source text with counters in it. */
export interface Instrumented {
  readonly code: string;
  /** The line of each counter; they are numbered from the first that was asked for. */
  readonly lines: readonly number[];
  /** The short texts that the source compares with or looks for: words worth trying in inputs. */
  readonly words: readonly string[];
}

/** The global under which instrumented code finds its counters and probe. */
export const globalName = '__latchkeyFuzz';

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** Texts to insert by position, and spans to leave out. */
interface Edits {
  readonly opening: Map<number, string>;
  readonly closing: Map<number, string>;
  readonly spans: { readonly start: number; readonly end: number; readonly text: string }[];
}

/**
 * Counts every function, branch, loop, case and right side of a logical operator, and reports the operands of
 * equality. Lines keep their numbers, types stay for Node to strip.
 * @throws Error where the source cannot be parsed
 */
export function instrument(file: string, source: string, firstCounter: number): Instrumented {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map((error) => error.message).join('; ')}`);
  const edits: Edits = { opening: new Map(), closing: new Map(), spans: [] };
  const words = new Set<string>();
  const counted: number[] = [];
  const count = (at: number): string => `__cov[${firstCounter + counted.push(at) - 1}]++`;
  visit(program as unknown as Node, (node) => {
    countBranches(node, edits, count);
    if (node.type === 'BinaryExpression') probe(node, source, edits);
    const word = wordOf(node);
    if (word !== null) words.add(word);
  });
  const prologue = `const {counters:__cov,equal:__eq}=globalThis.${globalName};`;
  open(edits, endOfDirectives(program.body as unknown as readonly Node[]), prologue);
  const lines = counted.map((at) => source.slice(0, at).split('\n').length);
  return { code: applyEdits(source, edits), lines, words: [...words] };
}

function visit(node: Node, each: (node: Node) => void): void {
  // Types hold no code. What only surrounds an expression with one is walked.
  if (node.type.startsWith('TS') && !('expression' in node)) return;
  each(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const child of value) if (isNode(child)) visit(child, each);
    } else if (isNode(value)) {
      visit(value, each);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function countBranches(node: Node, edits: Edits, count: (at: number) => string): void {
  const child = (key: string): Node => node[key] as Node;
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      if (isNode(node['body'])) countStatement(node['body'], edits, count);
      break;
    case 'ArrowFunctionExpression':
      if (child('body').type === 'BlockStatement') countStatement(child('body'), edits, count);
      else countExpression(child('body'), edits, count);
      break;
    case 'IfStatement': {
      const otherwise = isNode(node['alternate']) ? '' : `else{${count(node.end)}}`;
      countStatement(child('consequent'), edits, count, otherwise);
      if (isNode(node['alternate'])) countStatement(node['alternate'], edits, count);
      break;
    }
    case 'ForStatement':
    case 'ForInStatement':
    case 'ForOfStatement':
    case 'WhileStatement':
    case 'DoWhileStatement':
    case 'CatchClause':
      countStatement(child('body'), edits, count);
      break;
    case 'SwitchCase': {
      const [first] = node['consequent'] as readonly Node[];
      if (first !== undefined) open(edits, first.start, `${count(first.start)};`);
      break;
    }
    case 'ConditionalExpression':
      countExpression(child('consequent'), edits, count);
      countExpression(child('alternate'), edits, count);
      break;
    case 'LogicalExpression':
      countExpression(child('right'), edits, count);
      break;
    default:
  }
}

function countStatement(body: Node, edits: Edits, count: (at: number) => string, after = ''): void {
  if (body.type === 'BlockStatement' || body.type === 'FunctionBody') {
    open(edits, body.start + 1, `${count(body.start)};`);
    close(edits, body.end, after);
  } else {
    open(edits, body.start, `{${count(body.start)};`);
    close(edits, body.end, `}${after}`);
  }
}

function countExpression(expression: Node, edits: Edits, count: (at: number) => string): void {
  open(edits, expression.start, `(${count(expression.start)},`);
  close(edits, expression.end, ')');
}

/** `a === b` becomes `__eq(a,b)`, where neither side is written out. */
function probe(node: Node, source: string, edits: Edits): void {
  const operator = node['operator'] as string;
  if (operator !== '===' && operator !== '!==') return;
  const [left, right] = [node['left'] as Node, node['right'] as Node];
  if (isFixed(left) || isFixed(right)) return;
  open(edits, node.start, operator === '===' ? '__eq(' : '!__eq(');
  const lines = source.slice(left.end, right.start).replace(/[^\n]/g, '');
  edits.spans.push({ start: left.end, end: right.start, text: `,${lines}` });
  close(edits, node.end, ')');
}

function isFixed(node: Node): boolean {
  return (
    node.type === 'Literal' ||
    node.type === 'UnaryExpression' ||
    (node.type === 'Identifier' && node['name'] === 'undefined')
  );
}

function wordOf(node: Node): string | null {
  const text =
    node.type === 'Literal'
      ? node['value']
      : node.type === 'TemplateElement'
        ? (node['value'] as { readonly cooked: string | null }).cooked
        : null;
  if (typeof text !== 'string' || text.length === 0 || text.length > 40) return null;
  // Sentences are messages for people, and module names for Node: no input is compared with them.
  return text.split(' ').length > 2 || /^(?:\.{1,2}\/|node:)/.test(text) ? null : text;
}

function endOfDirectives(body: readonly Node[]): number {
  let end = 0;
  for (const statement of body) {
    if (!('directive' in statement) || typeof statement['directive'] !== 'string') break;
    end = statement.end;
  }
  return end;
}

/** Nodes are visited from outside in: what is opened later stands further in. */
function open(edits: Edits, at: number, text: string): void {
  edits.opening.set(at, (edits.opening.get(at) ?? '') + text);
}

function close(edits: Edits, at: number, text: string): void {
  edits.closing.set(at, text + (edits.closing.get(at) ?? ''));
}

function applyEdits(source: string, { opening, closing, spans }: Edits): string {
  const spanAt = new Map(spans.map((span) => [span.start, span]));
  const places = new Set([...opening.keys(), ...closing.keys(), ...spanAt.keys()]);
  let code = '';
  let from = 0;
  for (const at of [...places].toSorted((a, b) => a - b)) {
    code += source.slice(from, at) + (closing.get(at) ?? '');
    from = at;
    const span = spanAt.get(at);
    if (span !== undefined) {
      code += span.text;
      from = span.end;
    }
    code += opening.get(at) ?? '';
  }
  return code + source.slice(from);
}
