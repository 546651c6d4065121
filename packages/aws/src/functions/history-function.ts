import { writeHistory } from "../routing/event-history.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";

/**
 * The function that writes the record: all that its queue has handed over as one object. Rejects
 * where the bucket does not take it: then all of it comes again, and nothing else has waited.
 */
export async function historyFunction(
  options: FunctionOptions,
): Promise<(records: readonly { readonly body: string }[]) => Promise<void>> {
  const tools = await functionTools<object>(options);
  const { now } = tools.clock;
  return (records) =>
    runMasked(tools, () => {
      const bodies = records.map(({ body }) => body);
      return writeHistory(bodies, { ...tools, now });
    });
}
