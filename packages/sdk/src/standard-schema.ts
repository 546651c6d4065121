/**
 * The part of Standard Schema v1 and Standard JSON Schema v1 (standardschema.dev) that we use; zod
 * and others implement it.
 */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    /**
     * What it takes, as a JSON Schema: what people are told about its settings is read from it
     * (`docs/extending.md`, Settings). Absent: nothing is told but what `validate` finds.
     */
    readonly jsonSchema?: {
      readonly input?: (options: {
        readonly target: "draft-2020-12";
        readonly libraryOptions?: Record<string, unknown>;
      }) => Record<string, unknown>;
    };
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** zod's name of the kind of issue. */
  readonly code?: string;
  /** The unknown keys of an `unrecognized_keys` issue. */
  readonly keys?: readonly string[];
}
