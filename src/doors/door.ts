import type { DoorName } from '../config/doors-config.ts';
import type { ClientSideReader } from '../gateway/client-side.ts';
import type { Abilities, Allowance, Answer, Asked, Refusing } from './ask.ts';
import type { Family } from './family.ts';
import { askedFrom, type ToldRequest } from './told.ts';

/** What a proxy that asks has sent. Its body, if any, is nobody's business. */
export interface DoorRequest {
  readonly method: string;
  /** What stands behind `/doors/NAME` in its target: '' mostly. */
  readonly rest: string;
  /** Flat name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
}

/** What a proxy that asks is told. */
export interface DoorReply {
  readonly status: number;
  /** Flat; without Content-Length. */
  readonly fields: readonly string[];
  readonly body: string;
}

/** One way of asking. */
export interface Door {
  /** Never throws or rejects. Without a promise where the decision needs none. */
  answer(request: DoorRequest): DoorReply | Promise<DoorReply>;
}

/** How one kind of proxy asks: strict about its own fields, deaf to those of others. */
export interface DoorKind {
  readonly name: DoorName;
  readonly family: Family;
  readonly proxy: Abilities;
  /** What the values of the family say; a sentence where that is nothing. */
  told(values: readonly (string | null)[], own: readonly string[]): ToldRequest | string;
  allow(answer: Allowance): DoorReply;
  refuse(answer: Refusing): DoorReply;
}

/** What a door needs. */
export interface DoorDeps {
  ask(asked: Asked): Answer | Promise<Answer>;
  /** As in force now. */
  clientSide(): ClientSideReader;
  /** Hears of questions that were none, for the log: which field of which door, never a value. */
  misasked(door: DoorName, problem: string): void;
}

/** Opens a door. A question that is none is answered 500 where the proxy tells it wrongly, 403 where the client's part is. */
export function openDoor(kind: DoorKind, deps: DoorDeps): Door {
  const { name, family, proxy } = kind;
  const reply = (answer: Answer): DoorReply =>
    answer.kind === 'allow' ? kind.allow(answer) : kind.refuse(answer);
  return {
    answer({ rest, rawHeaders }) {
      // A query is the client's, left on by proxies that ask by the path alone.
      if (rest !== '' && !rest.startsWith('?')) return notFound;
      const read = family.read(rawHeaders);
      if (typeof read === 'string') {
        deps.misasked(name, read);
        return wronglyTold;
      }
      const told = kind.told(read.values, read.own);
      const asked = typeof told === 'string' ? told : askedFrom(told, deps.clientSide(), proxy);
      if (typeof asked === 'string') {
        deps.misasked(name, asked);
        return refusedQuestion;
      }
      const answer = deps.ask(asked);
      return answer instanceof Promise ? answer.then(reply) : reply(answer);
    },
  };
}

const plainText = ['Content-Type', 'text/plain', 'Cache-Control', 'no-store'];
/** Nothing is asked at this address. */
export const notFound: DoorReply = { status: 404, fields: plainText, body: 'no door is open here\n' };
/** The proxy is told to ask otherwise than it should. */
export const wronglyTold: DoorReply = {
  status: 500,
  fields: plainText,
  body: 'the proxy asks wrongly: the log of the gateway says how\n',
};
/** The client's part of a question is none. */
export const refusedQuestion: DoorReply = {
  status: 403,
  fields: plainText,
  body: 'this request cannot be judged\n',
};
