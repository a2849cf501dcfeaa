/** A Parquet file's columns by dotted names, and the footer as hyparquet takes it to read one of them. */
import type { ColumnMetaData, FileMetaData, RowGroup, SchemaElement, SchemaTree } from "hyparquet";
import { parquetSchema } from "hyparquet";

export interface ParquetColumn {
  /** `data.text` for the field `text` of the struct `data`. */
  name: string;
  path: string[];
  /** The schema's elements along the path. */
  elements: SchemaElement[];
  /** What a value is where it is no scalar: "a list", say. */
  compound?: string;
}

function compoundOf({ element, children }: SchemaTree): string | undefined {
  const { converted_type: converted, logical_type: logical, repetition_type } = element;
  if (repetition_type === "REPEATED" || converted === "LIST" || logical?.type === "LIST") {
    return "a list";
  }
  if (converted === "MAP" || converted === "MAP_KEY_VALUE" || logical?.type === "MAP") {
    return "a map";
  }
  return children.length > 0 && logical?.type === "VARIANT" ? "an object" : undefined;
}

/** The columns in the schema's order: structs are taken apart, lists and maps are not. */
export function columnsOf(metadata: FileMetaData): ParquetColumn[] {
  const within = (tree: SchemaTree, above: SchemaElement[]): ParquetColumn[] => {
    const elements = [...above, tree.element];
    const compound = compoundOf(tree);
    if (compound === undefined && tree.children.length > 0) {
      return tree.children.flatMap((child) => within(child, elements));
    }
    return [{ name: tree.path.join("."), path: tree.path, elements, compound }];
  };
  return parquetSchema(metadata).children.flatMap((child) => within(child, []));
}

/** How many of a column and the structs around it may be null. */
export function maxDefinition({ elements }: ParquetColumn): number {
  return elements.filter((element) => element.repetition_type !== "REQUIRED").length;
}

/** What a group of rows has of a column; undefined where it has nothing that can be read. */
export function chunkOf(group: RowGroup, { path }: ParquetColumn): ColumnMetaData | undefined {
  const chunk = group.columns.find(({ meta_data: data }) =>
    data?.path_in_schema.length === path.length &&
    data.path_in_schema.every((name, index) => name === path[index])
  );
  return chunk?.file_path ? undefined : chunk?.meta_data;
}

/** The element of a column's values, with the older name of a type that a newer writer has left out. */
function annotated(element: SchemaElement): SchemaElement {
  const logical = element.logical_type;
  if (logical?.type === "DATE") return { ...element, converted_type: "DATE" };
  if (isDecimal(element)) {
    // As the digits are, not as a float: see values.ts.
    return { ...element, converted_type: undefined, logical_type: undefined };
  }
  return element;
}

export function isDecimal({ converted_type, logical_type }: SchemaElement): boolean {
  return converted_type === "DECIMAL" || logical_type?.type === "DECIMAL";
}

/** A footer that knows one group of rows, and in it one column, whose pages are of another codec. */
export function footerOf(
  metadata: FileMetaData,
  { elements }: ParquetColumn,
  group: RowGroup,
  chunk: ColumnMetaData,
  codec: string,
): FileMetaData {
  const last = elements.length - 1;
  const schema: SchemaElement[] = [
    { ...metadata.schema[0], num_children: 1 },
    ...elements.slice(0, last).map((element) => ({ ...element, num_children: 1 })),
    annotated(elements[last]),
  ];
  const meta_data = {
    ...chunk,
    codec: codec as ColumnMetaData["codec"],
    statistics: undefined,
  };
  const columns = [{ meta_data, file_offset: 0n }];
  return {
    ...metadata,
    schema,
    num_rows: group.num_rows,
    row_groups: [{ num_rows: group.num_rows, total_byte_size: group.total_byte_size, columns }],
  };
}
