/** What an exercise is for the runner. */

export interface Outcome {
  solved: boolean;
  /** What is missing, or what was found; sentences. */
  says: string;
}

export interface Exercise {
  title: string;
  /** The file that is to be edited, from the root. */
  file: string;
  /** Looks at the project as it is. */
  check(): Promise<Outcome>;
}

export const missing = (says: string): Outcome => ({ solved: false, says });
export const solved = (says: string): Outcome => ({ solved: true, says });
