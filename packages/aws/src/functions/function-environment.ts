import { OrgLoopError } from "@orgloop/sdk";

/** What a function is told by its environment; the stacks write it. */
export interface FunctionEnvironment {
  /** The workspace. */
  readonly stage: string;
  readonly project: string;
  readonly table: string;
  readonly bucket: string;
  readonly busUrl: string;
  /** A secret's parameter is this, its name and `/value`. */
  readonly secretPrefix: string;
  /** JSON, or `s3://BUCKET/KEY` of it where it is too long for an environment (4 KB in all). */
  readonly spec: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Throws `NO_ENVIRONMENT`, naming what is missing. */
export function functionEnvironment(env: Variables): FunctionEnvironment {
  const missing: string[] = [];
  const read = (name: string): string => {
    const value = env[`ORGLOOP_${name}`];
    if (value === undefined) missing.push(`ORGLOOP_${name}`);
    return value ?? "";
  };
  const found: FunctionEnvironment = {
    stage: read("STAGE"),
    project: read("PROJECT"),
    table: read("TABLE"),
    bucket: read("BUCKET"),
    busUrl: read("BUS_URL"),
    secretPrefix: read("SECRET_PREFIX"),
    spec: read("SPEC"),
  };
  if (missing.length === 0) return found;
  throw new OrgLoopError(
    "NO_ENVIRONMENT",
    `${missing.join(", ")} not set: a function of OrgLoop is deployed by its stacks`,
  );
}
