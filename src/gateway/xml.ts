import { SaxesParser } from 'saxes';

/** An element of a small XML document. */
export interface XmlElement {
  /** `{namespace}local`, as in `{DAV:}href`. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Its own character data, children's excluded. */
  readonly text: string;
  /** False where a comment, CDATA section or child stands in it: such text is read in several ways. */
  readonly plainText: boolean;
}

const depthMax = 32;
const piecesMax = 32_768;

/**
 * Reads well-formed, namespace-correct XML 1.0 in UTF-8, at most 32 levels and 32,768 pieces
 * (elements, attributes, comments, CDATA sections). Null for all
 * else, and for document types, processing instructions and other encodings: what two parsers could read
 * differently is not read at all.
 */
export function readXml(bytes: Uint8Array): XmlElement | null {
  try {
    return parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    if (error instanceof NotReadable || isDecodingError(error)) return null;
    throw error;
  }
}

class NotReadable extends Error {}

interface OpenElement {
  name: string;
  children: OpenElement[];
  text: string;
  plainText: boolean;
}

function parse(text: string): XmlElement | null {
  const parser = new SaxesParser({ xmlns: true, position: false });
  const open: OpenElement[] = [];
  let root: OpenElement | null = null;
  let pieces = 0;
  const refuse = (): never => {
    throw new NotReadable();
  };
  const count = (): void => {
    pieces += 1;
    if (pieces > piecesMax) refuse();
  };
  const addText = (data: string, plain: boolean): void => {
    if (!plain) count();
    const element = open.at(-1);
    if (element === undefined) return;
    element.text += data;
    if (!plain) element.plainText = false;
  };
  parser.on('error', refuse);
  parser.on('doctype', refuse);
  parser.on('processinginstruction', refuse);
  parser.on('xmldecl', (declaration) => {
    const encoding = declaration.encoding ?? 'utf-8';
    if (declaration.version !== '1.0' || encoding.toLowerCase() !== 'utf-8') refuse();
  });
  parser.on('opentag', (tag) => {
    count();
    if (open.length === depthMax) refuse();
    const element: OpenElement = {
      name: `{${tag.uri}}${tag.local}`,
      children: [],
      text: '',
      plainText: true,
    };
    const parent = open.at(-1);
    if (parent === undefined) {
      root = element;
    } else {
      parent.children.push(element);
      parent.plainText = false;
    }
    open.push(element);
  });
  parser.on('attribute', count);
  parser.on('closetag', () => void open.pop());
  parser.on('text', (data) => addText(data, true));
  parser.on('cdata', (data) => addText(data, false));
  parser.on('comment', () => addText('', false));
  parser.write(text).close();
  return root;
}

function isDecodingError(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}
