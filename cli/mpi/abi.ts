/**
 * MPI's functions and the values of its constants. A program in C finds these in the mpi.h that it is compiled with;
 * here they follow the library that is found.
 */

/** What handles are: addresses of objects, or numbers as wide as one, or numbers of 32 bits. */
export type HandleType = "pointer" | "usize" | "i32";
type Handle = Deno.PointerValue | number;

export interface Abi {
  handle: HandleType;
  world: Handle;
  float: Handle;
  byte: Handle;
  sum: Handle;
  errorsReturn: Handle;
  /** An address that is none; a number, as making pointers takes the permission for all libraries. */
  inPlace: bigint;
  threadFunneled: number;
}

/** Of the MPI standard, version 5, chapter 20. */
const standard: Abi = {
  handle: "usize",
  world: 257,
  float: 528,
  byte: 583,
  sum: 33,
  errorsReturn: 323,
  inPlace: 1n,
  threadFunneled: 1024,
};

/** Of the common ABI of MPICH, Intel MPI, MVAPICH and Cray's: mpi.h of MPICH 4 and 5. */
const mpich: Abi = {
  handle: "i32",
  world: 0x44000000,
  float: 0x4c00040a,
  byte: 0x4c00010d,
  sum: 0x58000003,
  errorsReturn: 0x54000001,
  inPlace: 2n ** 64n - 1n,
  threadFunneled: 1,
};

/** What tells an ABI from another. */
const marks = {
  MPI_Abi_get_version: { parameters: ["buffer", "buffer"], result: "i32", optional: true },
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  ompi_mpi_comm_world: { type: "pointer", optional: true },
  ompi_mpi_float: { type: "pointer", optional: true },
  ompi_mpi_byte: { type: "pointer", optional: true },
  ompi_mpi_op_sum: { type: "pointer", optional: true },
  ompi_mpi_errors_return: { type: "pointer", optional: true },
} as const;

/** Bytes of the longest text that any of the libraries writes. */
export const longestText = 8192;

/** The ABI of a library, and the first line of what it says of itself. Throws what `Deno.dlopen` throws. */
export function abiOf(path: string): { abi: Abi; version: string } {
  const { symbols } = Deno.dlopen(path, marks);
  const [text, length] = [new Uint8Array(longestText), new Int32Array(1)];
  symbols.MPI_Get_library_version(text, length);
  const version = textOf(text, length).split(/[\0\n]/)[0].replace(/\s+/g, " ").trim();
  const major = new Int32Array(1);
  symbols.MPI_Abi_get_version?.(major, new Int32Array(1));
  // Before Open MPI's marks: its library of the standard ABI has them too, from one that it loads.
  if (major[0] > 0) return { abi: standard, version };
  if (symbols.ompi_mpi_comm_world === null) return { abi: mpich, version };
  const abi: Abi = { // Open MPI's own objects, and what the mpi.h of Open MPI 4 to 6 has
    handle: "pointer",
    world: symbols.ompi_mpi_comm_world,
    float: symbols.ompi_mpi_float,
    byte: symbols.ompi_mpi_byte,
    sum: symbols.ompi_mpi_op_sum,
    errorsReturn: symbols.ompi_mpi_errors_return,
    inPlace: 1n,
    threadFunneled: 1,
  };
  return { abi, version };
}

/** A text that a library wrote, and its length. */
export const textOf = (bytes: Uint8Array, length: Int32Array): string =>
  new TextDecoder().decode(bytes.subarray(0, length[0]));

/**
 * The functions that are called, with handles of a type. They block: waiting for the others is what a rank does, and a
 * call from another thread takes longer to come back than a sum does.
 */
export const functions = (handle: HandleType) => ({
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Comm_set_errhandler: { parameters: [handle, handle], result: "i32" },
  MPI_Comm_rank: { parameters: [handle, "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: [handle, "buffer"], result: "i32" },
  MPI_Get_processor_name: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  MPI_Allreduce: {
    parameters: ["usize", "buffer", "i32", handle, handle, handle],
    result: "i32",
  },
  MPI_Bcast: { parameters: ["buffer", "i32", handle, "i32", handle], result: "i32" },
  MPI_Allgather: {
    parameters: ["buffer", "i32", handle, "buffer", "i32", handle, handle],
    result: "i32",
  },
  MPI_Barrier: { parameters: [handle], result: "i32" },
  MPI_Abort: { parameters: [handle, "i32"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
} as const);
