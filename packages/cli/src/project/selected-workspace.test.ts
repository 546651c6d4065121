import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { selectedWorkspace, selectWorkspace } from "./selected-workspace.ts";

function directories() {
  const root = mkdtempSync(path.join(tmpdir(), "orgloop-selected-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const [home, project, other] = ["home", "acme", "other"].map((name) => path.join(root, name));
  for (const directory of [project, other]) mkdirSync(directory as string);
  return { root, home: home as string, project: project as string, other: other as string };
}

test("a selection holds for its project, however the project is named, and for no other one", async () => {
  const { root, home, project, other } = directories();
  expect(selectedWorkspace(home, project)).toBe("default");
  await selectWorkspace(home, project, "staging");
  writeFileSync(path.join(project, "orgloop.yaml"), "");
  const link = path.join(root, "link");
  symlinkSync(project, link);
  for (const config of [project, path.join(project, "orgloop.yaml"), link]) {
    expect(selectedWorkspace(home, config)).toBe("staging");
  }
  expect(selectedWorkspace(home, other)).toBe("default");
  await selectWorkspace(home, project, "default");
  expect(selectedWorkspace(home, link)).toBe("default");
});

test("a selection that cannot be read is an error, not the default workspace", async () => {
  const { home, project } = directories();
  await selectWorkspace(home, project, "staging");
  const [file = ""] = readdirSync(path.join(home, "selected-workspaces"));
  for (const text of ["{", "{}", '{"workspace":1}']) {
    writeFileSync(path.join(home, "selected-workspaces", file), text);
    expect(() => selectedWorkspace(home, project)).toThrow(
      expect.objectContaining({ code: "SELECTION_UNREADABLE" }),
    );
  }
});
