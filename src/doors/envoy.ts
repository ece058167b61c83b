import type { Allowance, Answer, Asked } from './ask.ts';
import { type Door, type DoorDeps, type DoorReply, notFound, refusedQuestion, wronglyTold } from './door.ts';
import { settledFields } from './envoy-fields.ts';
import { createFamily } from './family.ts';
import { askedFrom } from './told.ts';
import { verbatim } from './verbatim.ts';

/** What Envoy removes from the request behind an allowing answer, whatever its configuration says. */
const removalField = 'x-envoy-auth-headers-to-remove';

const family = createFamily({
  required: ['host', 'x-forwarded-for', 'x-forwarded-proto'],
  // Envoy's own, of the request that asks.
  ignored: ['x-envoy-internal', 'x-envoy-expected-rq-timeout-ms', 'x-envoy-auth-partial-body'],
});

/**
 * Envoy sends the request on under the client's own path: a credential in a query cannot be taken out. It removes last, so
 * that no field can be both removed and set, and sets none but those of `allowed_upstream_headers`.
 */
const abilities = { removes: null, setsWhatIsTold: false, replacesTarget: false };

/**
 * Envoy `ext_authz` over HTTP: the client's method, its path behind `/doors/envoy`, its Host, and of its fields those that
 * `allowed_headers` lets through. It relays every refusal as it is; 5xx count as a failure of ours.
 */
export function openEnvoyDoor(deps: DoorDeps): Door {
  const reply = (answer: Answer, asked: Asked): DoorReply =>
    answer.kind === 'allow' ? allow(answer, asked) : verbatim(answer);
  return {
    answer({ method, rest, rawHeaders }) {
      if (rest === '') return notFound;
      const read = family.read(rawHeaders);
      if (typeof read === 'string') {
        deps.misasked('envoy', read);
        return wronglyTold;
      }
      const [host, addresses, scheme] = read.values as [string, string, string];
      const told = { method, target: rest, host, scheme, addresses, own: read.own };
      const asked = askedFrom(told, deps.clientSide(), abilities);
      if (typeof asked === 'string') {
        deps.misasked('envoy', asked);
        return refusedQuestion;
      }
      const answer = deps.ask(asked);
      return answer instanceof Promise ? answer.then((later) => reply(later, asked)) : reply(answer, asked);
    },
  };
}

function allow(answer: Allowance, asked: Asked): DoorReply {
  const { set, removed } = settledFields(answer, asked);
  const fields = [...set, removalField, removed.join(', '), 'Cache-Control', 'no-store'];
  return { status: 200, fields, body: '' };
}
