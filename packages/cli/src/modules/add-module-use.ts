import { addToList } from "../project/add-to-list.ts";

/** One entry of `modules` (`docs/configuration.md`, Modules). */
export interface ModuleUse {
  readonly package: string;
  readonly name?: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

/**
 * The text of a manifest with one more entry at the end of `modules` (`addToList`). Throws
 * `BAD_MANIFEST`.
 */
export function addModuleUse(text: string, use: ModuleUse): string {
  return addToList(text, "modules", use);
}
