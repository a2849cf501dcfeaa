/** What the environment tells of ranks, and where their library is looked for; test/mpi/ starts real ones. */
import assert from "node:assert/strict";
import { grants } from "../../cli/grants.ts";
import { selecting } from "../../cli/doctor/ranks.ts";
import { launcherOf, launcherVariables } from "../../cli/mpi/launcher.ts";
import { type Disk, libraryOf } from "../../cli/mpi/search.ts";
import project from "../../deno.json" with { type: "json" };

const of = (variables: Record<string, string>) => (name: string) => variables[name];
const openMpi = { OMPI_COMM_WORLD_SIZE: "4", OMPI_COMM_WORLD_RANK: "3", PMIX_RANK: "3" };
const mpich = { PMI_SIZE: "4", PMI_RANK: "0" };

/** A disk of files by path, with what is in them. */
const diskOf = (files: Record<string, string>): Disk => ({
  isFile: (path) => path in files,
  text: (path) => files[path],
  names: (path) =>
    Object.keys(files).filter((file) => file.startsWith(`${path}/`))
      .map((file) => file.slice(path.length + 1)),
});

Deno.test("the launcher is told by its variables, and the library by the launcher", () => {
  const cases: [Record<string, string>, string, number | undefined, number, RegExp][] = [
    [openMpi, "mpirun of Open MPI", 4, 3, /^libmpi\.so\.40,/],
    [mpich, "mpirun of MPICH", 4, 0, /^libmpich\.so\.12,libmpi\.so\.12,/],
    [{ ...mpich, SLURM_STEP_NUM_TASKS: "4" }, "srun", 4, 0, /^libmpich\.so\.12,.*,libmpi\.so\.40$/],
    [{ PMIX_RANK: "2", SLURM_STEP_NUM_TASKS: "4" }, "srun", 4, 2, /^libmpi\.so\.40,/],
    [{ PMIX_RANK: "2" }, "a launcher by PMIx", undefined, 2, /^libmpi\.so\.40,/],
    // mpirun within an allocation
    [{ ...openMpi, SLURM_STEP_NUM_TASKS: "1" }, "mpirun of Open MPI", 4, 3, /^libmpi\.so\.40,/],
  ];
  for (const [variables, name, size, rank, libraries] of cases) {
    const launcher = launcherOf(of(variables))!;
    assert.deepEqual([launcher.name, launcher.size, launcher.rank], [name, size, rank]);
    assert.match(launcher.libraries.join(), libraries);
  }
  assert.equal(launcherOf(of({})), undefined);
  assert.equal(launcherOf(of({ SLURM_STEP_NUM_TASKS: "1" })), undefined);
  assert.equal(launcherOf(of({ PMI_RANK: "0", PMI_SIZE: "many" })), undefined);
  assert.throws(
    () => launcherOf(of({ SLURM_STEP_NUM_TASKS: "4" })),
    /^UserError: srun started 4 tasks without MPI, .* --mpi=pmix .* --mpi=pmi2/,
  );
});

Deno.test("the library is looked for where the system's loader does, in its order", () => {
  const files: Record<string, string> = {
    "/etc/ld.so.conf": "# of the system\ninclude /etc/ld.so.conf.d/*.conf\n/opt/last\n",
    "/etc/ld.so.conf.d/b.conf": "/opt/b/lib # Debian's\n",
    "/etc/ld.so.conf.d/a.conf": "/opt/a/lib\n",
    "/etc/ld.so.conf.d/README": "/opt/none\n",
  };
  const find = (variables: Record<string, string>, ...paths: string[]) => {
    const found = Object.fromEntries(paths.map((path) => [path, ""]));
    const read = of({ ...openMpi, ...variables });
    return libraryOf(launcherOf(read)!, read, diskOf({ ...files, ...found }));
  };
  const name = "libmpi.so.40";
  const places = ["/x/lib", "/opt/a/lib", "/opt/b/lib", "/opt/last", "/usr/lib64"];
  const paths = places.map((place) => `${place}/${name}`);
  const path = { LD_LIBRARY_PATH: "relative::/x/lib" };
  paths.forEach((_, index) => assert.equal(find(path, ...paths.slice(index)), paths[index]));
  assert.equal(find({}, paths[0], paths[4]), paths[4]);
  assert.equal(find({}, "/usr/lib/libmpi_abi.so.1", paths[4]), paths[4]);
  assert.equal(find({}, "/usr/lib/libmpi_abi.so.1"), "/usr/lib/libmpi_abi.so.1");
  assert.equal(find({ PEFT_MPI_LIBRARY: "/m/libx.so" }, ...paths, "/m/libx.so"), "/m/libx.so");
  assert.throws(
    () => find({}, "/opt/none/libmpi.so.40"),
    /^UserError: mpirun of Open MPI started this, but none of its libraries .*libmpi\.so\.40.*apt-get install openmpi-bin;.* PEFT_MPI_LIBRARY/,
  );
  assert.throws(
    () => find({ PEFT_MPI_LIBRARY: "/m/my mpi.so" }, "/m/my mpi.so"),
    /^UserError: PEFT_MPI_LIBRARY names \/m\/my mpi\.so, .*: name a link/,
  );
  assert.throws(() => find({ LD_LIBRARY_PATH: "/my mpi" }, "/my mpi/libmpi.so.40"), /none of its/);
  assert.throws(
    () => find({ PEFT_MPI_LIBRARY: "/m/none.so" }, ...paths),
    /^UserError: PEFT_MPI_LIBRARY names \/m\/none\.so, where there is no file/,
  );
});

Deno.test("a rank may load the one library, and what needs no ranks none", () => {
  const grantsOf = (kinds: string[], path?: string) =>
    grants(kinds, of({ DENO_DIR: "/d" }), () => path);
  assert.equal(grantsOf(["mpi"], "/l/libmpi.so.40"), "--allow-ffi=/l/libmpi.so.40");
  assert.equal(grantsOf(["ffi", "mpi"], "/l/x.so"), "--allow-ffi=/d/npm,/l/x.so");
  assert.equal(grantsOf(["ffi"], "/l/x.so"), "--allow-ffi=/d/npm");
  assert.equal(grantsOf(["mpi"]), "");
  const named = (path: string) =>
    grants(["mpi"], of({ ...openMpi, PEFT_MPI_LIBRARY: path, DENO_DIR: "/d" }));
  assert.equal(named("/no/such/file"), "");
});

Deno.test("the permission sets have the variables that tell of ranks, and of their GPUs", () => {
  const sets: Record<string, { env: readonly string[] }> = {
    grants: project.permissions.grants,
    commands: project.permissions.commands,
    doctor: project.permissions.doctor,
    bench: project.permissions.bench,
  };
  for (const [set, { env }] of Object.entries(sets)) {
    const selects = ["grants", "bench"].includes(set) ? [] : selecting;
    for (const variable of [...launcherVariables, ...selects]) {
      const has = env.some((name) =>
        name.endsWith("*") ? variable.startsWith(name.slice(0, -1)) : name === variable
      );
      assert.ok(has, `${set} ${variable}`);
    }
  }
});
