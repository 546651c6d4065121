import { defineTransform, type Transform } from "@orgloop/sdk";
import * as z from "zod";

const redactConfig = z
  .strictObject({
    keys: z
      .array(z.string())
      .min(1)
      .meta({
        description: "Keys of the payload whose values are hidden.",
        examples: [["phone", "email"]],
      }),
  })
  .meta({
    title: "Redact",
    description: "Hides values of the payload.",
    examples: [{ keys: ["phone", "email"] }],
  });

export default defineTransform({
  id: "redact",
  config: redactConfig,
  create: async ({ keys }) => redactTransform(keys),
});

/** Replaces values of the payload. It drops what has nothing but such values. */
function redactTransform(keys: readonly string[]): Transform {
  const hidden = new Set(keys);
  return {
    // It waits for nothing, so it may run while the event is routed.
    inline: true,
    async execute(event) {
      const entries = Object.entries(event.payload);
      if (entries.every(([key]) => hidden.has(key))) return null;
      const shown = entries.map(([key, value]) => [key, hidden.has(key) ? "***" : value]);
      return { ...event, payload: Object.fromEntries(shown) };
    },
  };
}
