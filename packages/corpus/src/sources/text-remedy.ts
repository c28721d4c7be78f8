/** Beginnings of texts that are not JSON, and how to convert them. */
const KINDS: readonly { begins: RegExp; what: string }[] = [
  {
    begins: /^\s*\{\s*'/,
    what: `Python's notation: python3 -c "import ast, json, sys; [print(json.dumps(ast.literal_eval(l))) for l in sys.stdin]" < FILE | tocsin score -`,
  },
  { begins: /^\{.*\}\s*\{/, what: 'For several objects on a line: jq -c . FILE | tocsin score -' },
  {
    begins: /^[^\n]*\|[^\n]*\n\s*\|?\s*:?-{2,}[-+|: ]*(\n|$)/,
    what: 'It is a table for display: export it as CSV, for example psql --csv -c "select id, text from ..." > FILE.csv',
  },
  {
    begins: /^\+-{2,}[-+]*\n/,
    what: 'It is a table for display: export it with tabs, for example mysql --batch -e "select id, text from ..." > FILE.tsv',
  },
  { begins: /^\s*(#|\/\/)/, what: "Remove leading comments: grep -vE '^(#|//)' FILE | tocsin score -" },
  {
    begins: /^\s*-\s+\w+\s*:|^---\s*\n|^\w+:\s*(\n|\w)/,
    what: "YAML: yq -o=json -I=0 '.[]' FILE | tocsin score -",
  },
  {
    begins: /^\s*</,
    what: 'XML or HTML: convert it to one JSON object per line first; if it should be JSON, fetch it again: it may be an error page.',
  },
];

const PLAIN = `For plain text, one item per line: jq -Rc '{text: .}' FILE | tocsin score -`;

/**
 * The hint for a file that should be JSON but is not, by its beginning.
 * @param columns names of which a table's header has at least one
 */
export function textRemedy(head: string, columns: readonly string[]): string {
  const delimiter = tableDelimiter(head.split('\n', 1)[0] ?? '', columns);
  const known = KINDS.find(({ begins }) => begins.test(head));
  if (known !== undefined) return known.what;
  if (delimiter !== undefined) {
    const format =
      delimiter === '\t' ? 'tsv' : `csv${delimiter === ',' ? '' : ` --delimiter '${delimiter}'`}`;
    return `For a table, use --input-format ${format}`;
  }
  return `${PLAIN}. For a table: --input-format csv or tsv. For JSON over several lines: jq -c . FILE | tocsin score -; within an object: jq -c '.data[]' FILE`;
}

/** The hint for a table without a column to score, by its beginning; undefined when unclear. */
export function tableRemedy(head: string, columns: readonly string[], delimiter: string): string | undefined {
  const drawn = KINDS.find(
    ({ begins, what }) => /table for display|error page/.test(what) && begins.test(head),
  );
  if (drawn !== undefined) return drawn.what;
  const format = delimiter === '\t' ? 'tsv' : 'csv';
  const lines = head.split(/\r?\n/).slice(0, MAX_LINES);
  if (/^'[^']*'(.'[^']*')*$/.test(lines[0] ?? ''))
    return 'Its fields are in single quotes: use --quote single';
  const header = lines.findIndex((line, i) => i > 0 && tableDelimiter(line, columns, true) === delimiter);
  if (header > 0)
    return `The header seems to be on line ${header + 1}: tail -n +${header + 1} FILE | tocsin score - --input-format ${format}`;
  if (/^\s*#/.test(head))
    return `Remove leading comments: grep -v '^#' FILE | tocsin score - --input-format ${format}`;
  if (lines.some((line) => line.split(delimiter).includes('\\N')))
    return `It is a COPY dump without a header: export it as CSV instead: psql -c "\\copy (select id, text from ...) to 'FILE.csv' csv header"`;
  return undefined;
}

/** Lines to search for a header. */
const MAX_LINES = 20;

/** The delimiter that makes a line a header with one of the columns. */
export function tableDelimiter(
  line: string,
  columns: readonly string[],
  several = false,
): string | undefined {
  return [',', ';', '\t', '|'].find((one) => {
    const cells = line.split(one).map((cell) => cell.trim().replace(/^"|"$/g, '').toLowerCase());
    return cells.length > (several ? 1 : 0) && cells.some((cell) => columns.includes(cell));
  });
}
