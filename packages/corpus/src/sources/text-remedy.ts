/** How a text begins that is no JSON, and what makes JSON of it. */
const KINDS: readonly { begins: RegExp; what: string }[] = [
  {
    begins: /^\s*\{\s*'/,
    what: `Python's notation: python3 -c "import ast, json, sys; [print(json.dumps(ast.literal_eval(l))) for l in sys.stdin]" < FILE | tocsin score -`,
  },
  { begins: /^\{.*\}\s*\{/, what: 'Objects that follow each other on a line: jq -c . FILE | tocsin score -' },
  {
    begins: /^[^\n]*\|[^\n]*\n\s*\|?\s*:?-{2,}[-+|: ]*(\n|$)/,
    what: 'A table drawn for people: write it as CSV, for example psql --csv -c "select id, text from ..." > FILE.csv',
  },
  {
    begins: /^\+-{2,}[-+]*\n/,
    what: 'A table drawn for people: write it with tabs, for example mysql --batch -e "select id, text from ..." > FILE.tsv',
  },
  { begins: /^\s*(#|\/\/)/, what: "Comments come first: grep -vE '^(#|//)' FILE | tocsin score -" },
  {
    begins: /^\s*-\s+\w+\s*:|^---\s*\n|^\w+:\s*(\n|\w)/,
    what: "YAML: yq -o=json -I=0 '.[]' FILE | tocsin score -",
  },
  {
    begins: /^\s*</,
    what: 'XML or HTML: convert it to one JSON object per line first; if it should be JSON, fetch it again: it may be an error page.',
  },
];

const PLAIN = `Plain text, one item a line: jq -Rc '{text: .}' FILE | tocsin score -`;

/**
 * What to do about a file that should be JSON and is none, by how it begins.
 * @param columns names of which a table's header has one
 */
export function textRemedy(head: string, columns: readonly string[]): string {
  const delimiter = tableDelimiter(head.split('\n', 1)[0] ?? '', columns);
  const known = KINDS.find(({ begins }) => begins.test(head));
  if (known !== undefined) return known.what;
  if (delimiter !== undefined) {
    const format =
      delimiter === '\t' ? 'tsv' : `csv${delimiter === ',' ? '' : ` --delimiter '${delimiter}'`}`;
    return `A table: --input-format ${format}`;
  }
  return `${PLAIN}. A table: --input-format csv or tsv. JSON over several lines: jq -c . FILE | tocsin score -; within an object: jq -c '.data[]' FILE`;
}

/** What to do about a table whose header names nothing to score, by how it begins; undefined when that is not clear. */
export function tableRemedy(head: string, columns: readonly string[], delimiter: string): string | undefined {
  const drawn = KINDS.find(
    ({ begins, what }) => /drawn for people|error page/.test(what) && begins.test(head),
  );
  if (drawn !== undefined) return drawn.what;
  const format = delimiter === '\t' ? 'tsv' : 'csv';
  const lines = head.split(/\r?\n/).slice(0, MAX_LINES);
  if (/^'[^']*'(.'[^']*')*$/.test(lines[0] ?? '')) return 'Single quotes enclose its fields: --quote single';
  const header = lines.findIndex((line, i) => i > 0 && tableDelimiter(line, columns, true) === delimiter);
  if (header > 0)
    return `Its header seems to be line ${header + 1}: tail -n +${header + 1} FILE | tocsin score - --input-format ${format}`;
  if (/^\s*#/.test(head))
    return `Comments come first: grep -v '^#' FILE | tocsin score - --input-format ${format}`;
  if (lines.some((line) => line.split(delimiter).includes('\\N')))
    return `A dump of COPY, which has no header: write it as CSV instead, psql -c "\\copy (select id, text from ...) to 'FILE.csv' csv header"`;
  return undefined;
}

/** Lines in which a header is looked for. */
const MAX_LINES = 20;

/** The delimiter by which a line is a header with one of the columns. */
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
