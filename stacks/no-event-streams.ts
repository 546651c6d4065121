/** Stands for the SDK's event streams in functions: no operation that they call has one. */
throw new Error("event streams are not in this bundle");
