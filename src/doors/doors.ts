import type { DoorName } from '../config/doors-config.ts';
import { type Door, type DoorDeps, type DoorKind, openDoor } from './door.ts';
import { openEnvoyDoor } from './envoy.ts';
import { caddyDoor, traefikDoor } from './forwarded.ts';
import { haproxyDoor } from './haproxy.ts';
import { ingressNginxDoor } from './ingress-nginx.ts';
import { nginxDoor } from './nginx.ts';

/** Every way of asking at one address with fields of its own; Envoy asks at many, with few. */
const kinds: readonly DoorKind[] = [nginxDoor, ingressNginxDoor, caddyDoor, traefikDoor, haproxyDoor];

/** Finds the door that a target names, and what stands behind its name; null where it is closed. */
export type FindDoor = (target: string) => { readonly door: Door; readonly rest: string } | null;

/** Opens the doors of these names. */
export function openDoors(names: readonly DoorName[], deps: DoorDeps): FindDoor {
  const doors = new Map<string, Door>();
  for (const kind of kinds) if (names.includes(kind.name)) doors.set(kind.name, openDoor(kind, deps));
  if (names.includes('envoy')) doors.set('envoy', openEnvoyDoor(deps));
  return (target) => {
    if (!target.startsWith(prefix)) return null;
    const end = endOfName(target);
    const door = doors.get(target.slice(prefix.length, end));
    return door === undefined ? null : { door, rest: target.slice(end) };
  };
}

const prefix = '/doors/';

function endOfName(target: string): number {
  for (let at = prefix.length; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === 0x2f || code === 0x3f) return at;
  }
  return target.length;
}
