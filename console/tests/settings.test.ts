import { describe, expect, test } from "vitest";

import { blank, fieldsOf, fittingUnit, type Schema } from "@/features/settings/schema";

const root: Schema = {
  type: "object",
  $defs: {
    Item: { type: "object", properties: { label: { type: "string", maxLength: 64 }, kind: { enum: ["a", "b"] } } },
  },
  properties: {
    is_on: { type: "boolean", title: "启用" },
    quiet_s: { type: "integer", unit: "s" },
    times: { type: "integer", unit: "次" },
    greeting: { type: "string", maxLength: 1000 },
    name: { type: "string", maxLength: 64 },
    mode: { enum: ["x", "y"] },
    words: { type: "array", items: { type: "string" } },
    menu: { type: "array", items: { $ref: "#/$defs/Item" } },
    part: { $ref: "#/$defs/Item" },
    threshold: { anyOf: [{ type: "number", maximum: 1 }, { type: "null" }], description: "留空则自动" },
    table: { type: "object" },
  },
};

describe("a form is drawn from the schema", () => {
  const fields = Object.fromEntries(fieldsOf(root, root).map((field) => [field.name, field]));

  test("each type has its kind of field", () => {
    const kinds = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.kind]));
    expect(kinds).toEqual({
      is_on: "switch",
      quiet_s: "duration",
      times: "number",
      greeting: "long",
      name: "text",
      mode: "choice",
      words: "words",
      menu: "rows",
      part: "group",
      threshold: "number",
      table: "raw",
    });
  });

  test("what may be null may be left out, and keeps its bounds", () => {
    expect(fields["threshold"]).toMatchObject({ isOptional: true, hint: "留空则自动", schema: { maximum: 1 } });
    expect(fields["times"]).toMatchObject({ isOptional: false });
  });

  test("a new row begins with the emptiest values", () => {
    expect(blank({ $ref: "#/$defs/Item" }, root)).toEqual({ label: "", kind: "a" });
  });
});

test("seconds are shown in the largest unit that is whole", () => {
  expect([86_400, 7200, 5400, 90, 1.5, 0].map(fittingUnit)).toEqual(["d", "h", "min", "s", "s", "s"]);
});
