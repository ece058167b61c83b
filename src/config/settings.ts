import { configJsonSchema, flatten, type JsonSchema } from './json-schema.ts';

/** A single value that an environment variable or a flag may set. */
export interface Setting {
  /** Keys from the top of the file, such as `['listen', 'port']`. */
  readonly path: readonly string[];
  /** Such as LATCHKEY_LISTEN_PORT; the same name with _FILE names a file that holds the value. */
  readonly envName: string;
  /** How its text is read. */
  readonly type: 'text' | 'number' | 'boolean' | 'list' | 'secret';
}

/** Everything that environment variables may set, in the order of the file. Lists of maps are left to the file. */
export const settings: readonly Setting[] = collect(configJsonSchema, []);

function collect(schema: JsonSchema, path: readonly string[]): readonly Setting[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const here = [...path, key];
    if (child.properties) return collect(child, here);
    const type = typeOf(child);
    return type === null ? [] : [{ path: here, envName: envNameOf(here), type }];
  });
}

function typeOf(schema: JsonSchema): Setting['type'] | null {
  const choices = flatten(schema);
  if (choices.some((choice) => choice.properties?.['fromFile'])) return secretOrNothing(choices);
  if (choices.some((choice) => choice.type === 'array')) {
    return choices.some((choice) => flatten(choice.items ?? {}).some((item) => item.type === 'object'))
      ? null
      : 'list';
  }
  if (choices.some((choice) => [choice.type].flat().includes('string'))) return 'text';
  if (choices.some((choice) => choice.type === 'boolean')) return 'boolean';
  return 'number';
}

function secretOrNothing(choices: readonly JsonSchema[]): 'secret' | null {
  return choices.every((choice) => choice.properties?.['fromFile'] ?? choice.properties?.['fromEnv'])
    ? 'secret'
    : null;
}

function envNameOf(path: readonly string[]): string {
  return `LATCHKEY_${path.map((part) => part.replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`;
}

/** The value that the text of an environment variable or flag stands for; what does not fit stays text and fails later. */
export function readSetting(setting: Setting, text: string): unknown {
  switch (setting.type) {
    case 'list':
      return text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'number':
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case 'text':
    case 'secret':
      return text;
  }
}
