/** The part of JSON Schema that settings are described in, and how a form reads it: pure. */
export interface Schema {
  type?: string;
  title?: string;
  description?: string;
  unit?: string;
  default?: unknown;
  enum?: readonly (string | number)[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  anyOf?: readonly Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
}

export type Kind = "switch" | "choice" | "duration" | "number" | "text" | "long" | "words" | "rows" | "group" | "raw";

export interface Field {
  name: string;
  title: string;
  hint: string;
  kind: Kind;
  isOptional: boolean;
  schema: Schema;
}

const LONG_TEXT = 200;

export function fieldsOf(schema: Schema, root: Schema): Field[] {
  return Object.entries(resolved(schema, root).properties ?? {}).map(([name, given]) => fieldOf(name, given, root));
}

export function fieldOf(name: string, given: Schema, root: Schema): Field {
  const { schema, isOptional } = withoutNull(resolved(given, root), root);
  const title = given.title ?? schema.title ?? name;
  return { name, title, hint: given.description ?? schema.description ?? "", kind: kindOf(schema, root), isOptional, schema };
}

/** "anyOf: [X, null]" is X that may be left out. */
function withoutNull(schema: Schema, root: Schema): { schema: Schema; isOptional: boolean } {
  const choices = schema.anyOf?.map((one) => resolved(one, root));
  if (!choices) return { schema, isOptional: false };
  const rest = choices.filter((one) => one.type !== "null");
  const isOptional = rest.length < choices.length;
  const only = rest[0];
  return rest.length === 1 && only ? { schema: { ...schema, ...only }, isOptional } : { schema, isOptional };
}

export function kindOf(schema: Schema, root: Schema): Kind {
  if (schema.enum) return "choice";
  switch (schema.type) {
    case "boolean":
      return "switch";
    case "integer":
    case "number":
      return schema.unit === "s" ? "duration" : "number";
    case "string":
      return (schema.maxLength ?? 0) > LONG_TEXT ? "long" : "text";
    case "array":
      return kindOfRows(resolved(schema.items ?? {}, root));
    case "object":
      return schema.properties ? "group" : "raw";
    default:
      return "raw";
  }
}

function kindOfRows(items: Schema): Kind {
  if (items.properties) return "rows";
  return items.type === "string" && !items.enum ? "words" : "raw";
}

export function resolved(schema: Schema, root: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  const target = name ? root.$defs?.[name] : undefined;
  if (!target) return schema;
  return { ...target, ...schema };
}

/** A new row of a list: defaults, or the emptiest value of each type. */
export function blank(schema: Schema, root: Schema): unknown {
  const known = resolved(schema, root);
  if (known.default !== undefined) return structuredClone(known.default);
  if (known.enum) return known.enum[0];
  if (known.anyOf?.some((one) => one.type === "null")) return null;
  if (known.properties) {
    return Object.fromEntries(Object.entries(known.properties).map(([name, one]) => [name, blank(one, root)]));
  }
  const blanks: Record<string, unknown> = { string: "", integer: 0, number: 0, boolean: false, array: [], object: {} };
  return blanks[known.type ?? ""] ?? null;
}

const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
  ["s", 1],
] as const;

export type Unit = (typeof UNITS)[number][0];

export const secondsIn = (unit: Unit): number => UNITS.find(([name]) => name === unit)?.[1] ?? 1;

/** The largest unit that shows this many seconds as a whole number. */
export function fittingUnit(seconds: number): Unit {
  return UNITS.find(([, size]) => seconds >= size && seconds % size === 0)?.[0] ?? "s";
}
