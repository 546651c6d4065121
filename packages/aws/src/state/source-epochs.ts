import { getItem, type StateTable, singleKey } from "./state-table.ts";
import { updateItem } from "./write-item.ts";

/** How often a source began anew: it forgets then what it has sent. */
export interface SourceLife {
  readonly life: number;
  /** Null: it is gone. */
  readonly connector: string | null;
}

/** By source; one that is not there never began anew. */
export type SourceEpochs = Readonly<Record<string, SourceLife>>;

interface Connected {
  readonly id: string;
  readonly connector: string;
}

/**
 * A source that comes back, or is given to another connector, begins anew: also before that was
 * recorded.
 */
export function epochOf(epochs: SourceEpochs, { id, connector }: Connected): number {
  const before = epochs[id];
  if (before === undefined) return 0;
  return before.connector === connector ? before.life : before.life + 1;
}

/** The epochs with these sources deployed. */
export function nextEpochs(epochs: SourceEpochs, sources: readonly Connected[]): SourceEpochs {
  const gone = Object.entries(epochs).map(([id, { life }]) => [id, { life, connector: null }]);
  const here = sources.map(({ id, connector }) => [
    id,
    { life: epochOf(epochs, { id, connector }), connector },
  ]);
  return Object.fromEntries([...gone, ...here]);
}

export function dynamoSourceEpochs(state: StateTable): {
  read(): Promise<SourceEpochs>;
  write(epochs: SourceEpochs): Promise<void>;
} {
  const key = singleKey("source-lives", "all");
  return {
    async read() {
      const item = await getItem(state, key);
      return typeof item?.lives === "string" ? (JSON.parse(item.lives) as SourceEpochs) : {};
    },
    async write(epochs) {
      await updateItem(state, key, { set: { lives: JSON.stringify(epochs) } });
    },
  };
}
