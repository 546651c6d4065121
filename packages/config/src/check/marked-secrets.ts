import { type SecretText, secretsIn, secretText, secretTextsIn } from "@orgloop/engine";
import { isWrittenNumber, type StandardSchema } from "@orgloop/sdk";
import type { Declaration } from "../resolve/declarations.ts";

/**
 * What only the schema of an item's package tells to be a secret: its key is not called one. Paths
 * are in its `config`.
 */
export type MarkedSecrets = ReadonlyMap<Declaration, readonly SecretText[]>;

export function markedSecrets(schema: StandardSchema, config: unknown): readonly SecretText[] {
  const numbers = secretsIn(schema, config).flatMap(({ path, value }) =>
    typeof value === "number" || isWrittenNumber(value) ? { path, value: String(value) } : [],
  );
  return [...secretTextsIn(schema, config), ...numbers].filter(({ path, value }) => {
    const key = path.findLast((step) => typeof step === "string");
    return secretText(value, String(key)) === undefined;
  });
}
