import type { StoresVerdict } from "@orgloop/node";
import type { Command } from "../command.ts";
import { GOES_ON } from "../doctor/log-and-wal.ts";
import { walDirectory, walProblemLine } from "../process/wal-directory.ts";

/**
 * `orgloop wal verify`: exit status 1 where the log, or a store beside it, is damaged. A torn end
 * of the log is no damage: it was never acknowledged.
 */
export const walVerify: Command = async (context) => {
  const { dataDir, dir } = await walDirectory(context);
  const { verifyWal } = await import("@orgloop/bus/file");
  const { verifyStores } = await import("@orgloop/node");
  const report = await verifyWal(dir);
  const stores = await verifyStores(dataDir);
  const isLogSound = report.problems.every(({ kind }) => kind === "torn");
  const sound = isLogSound && stores.problems.length === 0;
  const { segments, bytes, lines, problems, kept } = report;
  context.output.result(
    { ok: sound, ...report, stores },
    [
      ...problems.map(walProblemLine),
      ...kept.map(
        (name) =>
          `${name}: cut off or taken out before, no part of the log; delete it when nobody wants it`,
      ),
      `${lines} lines, ${bytes} bytes in ${segments} segments of ${dir}: ${isLogSound ? "sound" : "damaged"}`,
      ...(isLogSound ? [] : ["`orgloop wal repair` shows what it would do"]),
      ...storesText(stores),
    ].join("\n"),
  );
  return sound ? 0 : 1;
};

function storesText({ lines, problems, refused, kept }: StoresVerdict): readonly string[] {
  return [
    ...problems,
    ...kept.map(
      (file) => `${file}: damaged lines that a start has kept; delete it when nobody wants it`,
    ),
    `${lines} lines of dead letters, inboxes, claims, repeats and routes: ${problems.length === 0 ? "sound" : "damaged"}`,
    ...(problems.length === 0 ? [] : [refused ? "a start refuses that" : GOES_ON]),
  ];
}
