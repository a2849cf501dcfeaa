Deno.test({ name: "Dawn cannot be used here: its tests are left out", ignore: true, fn() {} });
