import type { Column, Sort } from '../domain/watchlist';
import { toggled } from '../domain/watchlist';

interface Props {
  readonly sort: Sort;
  readonly onSort: (sort: Sort) => void;
}

const COLUMNS: readonly { readonly column: Column | null; readonly text: string; readonly name: string }[] = [
  { column: 'symbol', text: 'Symbol', name: 'symbol' },
  { column: 'price', text: 'Price', name: 'price' },
  { column: 'change', text: 'Change', name: 'change' },
  { column: null, text: 'Last hour', name: 'trend' },
  { column: 'volume', text: 'Volume', name: 'volume' },
  { column: 'age', text: 'Age', name: 'age' },
];

function direction(sort: Sort, column: Column): 'ascending' | 'descending' | 'none' {
  if (sort.column !== column) return 'none';
  return sort.isDescending ? 'descending' : 'ascending';
}

/** Column heads; a click sorts, a second click turns the order. */
export function Head({ sort, onSort }: Props) {
  return (
    <thead>
      <tr>
        {COLUMNS.map(({ column, text, name }) =>
          column ? (
            <th key={name} scope="col" className={name} aria-sort={direction(sort, column)}>
              <button type="button" onClick={() => { onSort(toggled(sort, column)); }}>
                {text}
              </button>
            </th>
          ) : (
            <th key={name} scope="col" className={name}>
              {text}
            </th>
          ),
        )}
        <td className="keep" />
      </tr>
    </thead>
  );
}
