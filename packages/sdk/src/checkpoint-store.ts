/** Where each source resumes. A checkpoint is set only after its events are durable on the bus. */
export interface CheckpointStore {
  /**
   * Null where none was ever set. Throws where one was set and cannot be read: guessing would lose
   * or repeat events.
   */
  get(sourceId: string): Promise<string | null>;
  /** Resolves when the checkpoint would survive a power cut (on a store that is durable). */
  set(sourceId: string, checkpoint: string): Promise<void>;
  /**
   * Forgets the source, also where its checkpoint cannot be read: `get` gives null. Fine where none
   * was set.
   */
  delete(sourceId: string): Promise<void>;
}
