import { crashFileSystem } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { removeTemporaries } from "./remove-temporaries.ts";

test("what replacements left behind goes, and nothing else", async () => {
  const { fileSystem } = crashFileSystem();
  const ours = [
    "state.json.12-3.tmp",
    "feed.json.1-1.tmp",
    "claims.jsonl.tmp",
    "secret.key.4-1.tmp",
  ];
  const others = ["state.json", "notes.tmp", "x.tmp.json", "claims.jsonl.mark", "a.json.tmp.bak"];
  for (const name of [...ours, ...others]) await fileSystem.open(`/data/${name}`, "create");
  await removeTemporaries("/data", fileSystem);
  expect((await fileSystem.list("/data")).toSorted()).toEqual(others.toSorted());
  await removeTemporaries("/nowhere", fileSystem);
});
