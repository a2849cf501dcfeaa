/** The ranks that MPI connects, and what they do together. */
import { UserError } from "../../models/errors.ts";
import type { Ranks } from "../../models/training/ranks.ts";
import { type Abi, abiOf, functions, longestText, textOf } from "./abi.ts";

/** Ranks of MPI, with what a command needs besides sums. All calls are collective: all ranks make them in one order. */
export interface Communicator extends Ranks {
  /** Waits for the others. */
  sum(values: Float32Array): void;
  /** The name of this rank's host. */
  readonly host: string;
  /** This rank's number, and how many there are, among the ranks of its host. */
  readonly localRank: number;
  readonly localSize: number;
  /** What the library says of itself, such as "MPICH Version: 4.0.2". */
  readonly library: string;
  /** The bytes that rank 0 gives, on all ranks. */
  broadcast(bytes?: Uint8Array): Uint8Array;
  /** The bytes of every rank, on every rank. */
  gather(bytes: Uint8Array): Uint8Array[];
  /** Returns once all ranks have called it. */
  barrier(): void;
  /** Ends the processes of all ranks, and the launcher with this code. */
  abort(exitCode: number): never;
  /** Waits for all ranks; none may call anything afterwards. */
  finalize(): void;
}

type Functions = Deno.DynamicLibrary<ReturnType<typeof functions>>["symbols"];

export interface ConnectOptions {
  /** The most bytes of one call, a multiple of 4: MPI counts in an `int`, and not all libraries bear more than 2³¹ bytes. */
  callBytes?: number;
}

/** Starts MPI. Throws a UserError where the library does not load, or says that it could not. */
export function connect(path: string, { callBytes = 2 ** 30 }: ConnectOptions = {}): Communicator {
  let opened: ReturnType<typeof abiOf>;
  let mpi: Functions;
  try {
    opened = abiOf(path);
    mpi = Deno.dlopen(path, functions(opened.abi.handle)).symbols;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${path} cannot be used as MPI's library: ${why}`, { cause: error });
  }
  return new MpiCommunicator(mpi, opened.abi, opened.version, callBytes);
}

class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  readonly host: string;
  readonly localRank: number;
  readonly localSize: number;
  readonly library: string;
  readonly #mpi: Functions;
  readonly #abi: Abi;
  readonly #callBytes: number;

  constructor(mpi: Functions, abi: Abi, version: string, callBytes: number) {
    this.#mpi = mpi;
    this.#abi = abi;
    this.#callBytes = callBytes;
    this.library = version;
    // Of this process's threads only the one that runs JavaScript calls MPI.
    this.#check("Init_thread", mpi.MPI_Init_thread(null, null, abi.threadFunneled, int()));
    this.#check("Comm_set_errhandler", mpi.MPI_Comm_set_errhandler(abi.world, abi.errorsReturn));
    const [rank, size] = [int(), int()];
    this.#check("Comm_rank", mpi.MPI_Comm_rank(abi.world, rank));
    this.#check("Comm_size", mpi.MPI_Comm_size(abi.world, size));
    [this.rank, this.size] = [rank[0], size[0]];
    const [name, length] = [new Uint8Array(longestText), int()];
    this.#check("Get_processor_name", mpi.MPI_Get_processor_name(name, length));
    this.host = textOf(name, length);
    // By name: whom MPI_Comm_split_type calls sharing is up to the library, and Debian's MPICH 5.0.2 calls all ranks alone.
    const hosts = this.gather(new TextEncoder().encode(this.host))
      .map((bytes) => new TextDecoder().decode(bytes));
    const here = (_: unknown, rank: number) => hosts[rank] === this.host;
    this.localSize = hosts.filter(here).length;
    this.localRank = hosts.slice(0, this.rank).filter(here).length;
  }

  /**
   * Equal on all ranks and each time: MPI asks of a reduction that the same values in the same order give the same
   * result (MPI 4.1, 6.9.1), and libraries compute each sum once, or with the same tree on each rank, in which a + b and
   * b + a are the same bits. test/mpi holds the installed one to it.
   */
  sum(values: Float32Array): void {
    const { inPlace, float, sum, world } = this.#abi;
    const most = this.#callBytes / 4;
    for (let start = 0; start < values.length; start += most) {
      const part = values.subarray(start, start + most) as BufferSource;
      const length = Math.min(most, values.length - start);
      const code = this.#mpi.MPI_Allreduce(inPlace, part, length, float, sum, world);
      this.#check("Allreduce", code);
    }
  }

  broadcast(bytes?: Uint8Array): Uint8Array {
    const size = new Float64Array([bytes?.length ?? 0]);
    this.#broadcast(new Uint8Array(size.buffer), 0);
    const all = this.rank === 0 && bytes ? bytes : new Uint8Array(size[0]);
    this.#broadcast(all, 0);
    return all;
  }

  /** Each rank broadcasts in turn, after the sizes: one call for all would count all bytes in an `int`. */
  gather(bytes: Uint8Array): Uint8Array[] {
    const { byte, world } = this.#abi;
    const sizes = new Float64Array(this.size);
    const own = new Float64Array([bytes.length]);
    const code = this.#mpi.MPI_Allgather(own, 8, byte, sizes, 8, byte, world);
    this.#check("Allgather", code);
    return Array.from(sizes, (size, rank) => {
      const all = rank === this.rank ? bytes : new Uint8Array(size);
      this.#broadcast(all, rank);
      return all;
    });
  }

  barrier(): void {
    this.#check("Barrier", this.#mpi.MPI_Barrier(this.#abi.world));
  }

  abort(exitCode: number): never {
    this.#mpi.MPI_Abort(this.#abi.world, exitCode);
    Deno.exit(exitCode); // where the library only asked for it
  }

  finalize(): void {
    this.#check("Finalize", this.#mpi.MPI_Finalize());
  }

  #broadcast(bytes: Uint8Array, root: number): void {
    const { byte, world } = this.#abi;
    for (let start = 0; start < bytes.length; start += this.#callBytes) {
      const part = bytes.subarray(start, start + this.#callBytes);
      const code = this.#mpi.MPI_Bcast(part as BufferSource, part.length, byte, root, world);
      this.#check("Bcast", code);
    }
  }

  #check(name: string, code: number): void {
    if (code === 0) return;
    const [text, length] = [new Uint8Array(longestText), int()];
    this.#mpi.MPI_Error_string(code, text, length);
    throw new UserError(
      `MPI_${name} failed: ${
        textOf(text, length).trim()
      }. Another rank may have ended: see what it says.`,
    );
  }
}

const int = () => new Int32Array(1);
