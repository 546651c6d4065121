import type { Scope } from "../../resolve/scope.ts";

/**
 * What could not be read or expanded: a name that is missing may be declared there, and is not
 * reported.
 */
export interface Unread {
  /** A file, or a module whose instance has no name yet. */
  readonly anything: boolean;
  /** The full names of instances that could not be expanded. */
  readonly instances: readonly string[];
}

/** Whether an item of that full name may be in what could not be read. */
export const mayBeUnread = ({ anything, instances }: Unread, name: string): boolean =>
  anything || instances.some((one) => name === one || name.startsWith(`${one}-`));

/** Whether what is called `name` in `scope` may be. */
export function mayBeUnreadIn(unread: Unread, name: string, scope: Scope): boolean {
  for (let here: Scope | null = scope; here !== null; here = here.parent) {
    if (mayBeUnread(unread, here.qualify(name))) return true;
  }
  return false;
}
