export function isCurrent(dist: string, root: string): boolean;
