import { takesFromPages, wantedSource } from "@orgloop/engine";
import { type SourceSpec, withoutSchemas } from "@orgloop/sdk";
import { type HttpEvent, receiveRequest } from "../intake/receive.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";
import { itemOpener } from "./open-items.ts";
import { sourcePublisher } from "./source-publisher.ts";

/** `ORGLOOP_SPEC` of the receiver. */
export interface ReceiveSpec {
  readonly sources: readonly SourceSpec[];
  /** Those that are grouped by their ordering keys; absent: none. */
  readonly keyed?: readonly string[];
}

/** The receiver: one request to one of its sources. */
export async function receiveFunction(
  options: FunctionOptions,
): Promise<(event: HttpEvent) => ReturnType<typeof receiveRequest>> {
  const tools = await functionTools<ReceiveSpec>(options);
  const { spec, flow } = tools;
  const specs = new Map(spec.sources.map((source) => [source.id, withoutSchemas(source)]));
  const open = itemOpener(wantedSource, tools);
  const publish = await sourcePublisher(tools);
  const openSource = async (id: string) => {
    const source = specs.get(id);
    return source && open(source);
  };
  const takes = (id: string) => {
    const source = specs.get(id);
    return source !== undefined && takesFromPages(source);
  };
  const { mask } = tools.known;
  return (event) =>
    runMasked(tools, () =>
      receiveRequest(event, { openSource, takesFromPages: takes, publish, flow, mask }),
    );
}
