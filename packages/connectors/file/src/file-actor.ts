import type { Actor, PluginContext } from "@orgloop/sdk";
import { lineAppender } from "./append-lines.ts";
import type { FileActorConfig } from "./config.ts";
import { outputPath } from "./output-path.ts";

/**
 * An actor that appends each event as one line of JSON. A line is written whole or, after a crash,
 * left behind cut and alone.
 */
export async function fileActor(
  config: FileActorConfig,
  { projectDir }: Pick<PluginContext, "projectDir">,
): Promise<Actor> {
  const path = await outputPath(projectDir, config.path);
  const append = lineAppender(path, config.fsync);
  return {
    async deliver(event, { signal }) {
      signal.throwIfAborted();
      await append(JSON.stringify(event));
      return { status: "delivered" };
    },
  };
}
