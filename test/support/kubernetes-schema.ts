import * as gatewayApi from '@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1';
import * as prometheusOperator from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import { nameOf, type KubernetesObject } from './helm.ts';

interface Model {
  readonly prototype: { validate(): void };
}

const groups: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  v1: core,
  'apps/v1': apps,
  'autoscaling/v2': autoscaling,
  'networking.k8s.io/v1': networking,
  'policy/v1': policy,
  'gateway.networking.k8s.io/v1': gatewayApi,
  'monitoring.coreos.com/v1': prometheusOperator,
};

/**
 * What the published schema of its kind finds wrong with an object: wrong types, what is missing, and fields that
 * the schema does not know, which an API server would drop in silence.
 */
export function schemaProblems(object: KubernetesObject): readonly string[] {
  const model = groups[object.apiVersion]?.[object.kind] as Model | undefined;
  if (model === undefined) return [`${nameOf(object)}: no schema for ${object.apiVersion} ${object.kind}`];
  const known = new Set<string>();
  try {
    model.prototype.validate.call(watched(object, '', known));
  } catch (error) {
    return [`${nameOf(object)}: ${error instanceof Error ? error.message : String(error)}`];
  }
  return unknownFields(object, '', known).map((path) => `${nameOf(object)}: no field ${path}`);
}

/** The compiled schemas ask for each field they know by name, and list the keys of what may have any. */
function watched(value: unknown, path: string, known: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const found: unknown = Reflect.get(target, key);
      if (typeof key === 'symbol' || typeof found === 'function') return found;
      const place = `${path}.${key}`;
      known.add(place);
      return watched(found, place, known);
    },
    ownKeys(target) {
      for (const key of Object.keys(target)) known.add(`${path}.${key}`);
      return Reflect.ownKeys(target);
    },
  });
}

function unknownFields(value: unknown, path: string, known: ReadonlySet<string>): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => {
    const place = `${path}.${key}`;
    if (!Array.isArray(value) && !known.has(place)) return [place];
    return unknownFields(child, place, known);
  });
}
