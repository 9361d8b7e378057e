import { FORMULA } from '../export/csv.ts';

/**
 * The script of the page: what makes tables of it sortable, searchable and savable, and lets a reader
 * choose light or dark. Nothing of the report depends on it: without it the page is whole, and printed it
 * shows everything. It makes elements and sets text, never HTML, and asks no network.
 */
export const script = `
(() => {
const make = (tag, of = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), of);
  element.append(...children);
  return element;
};
const textOf = (cell) => cell.innerText.replace(/\\s+/g, ' ').trim();
const PLAIN = /^[+-]?[0-9][0-9,]*(\\.[0-9]+)?$/;
const valueOf = (cell) => cell.dataset.value ?? textOf(cell);
const numberOf = (text) => {
  const [found] = /^[+-]?[0-9][0-9,]*(\\.[0-9]+)?/.exec(text) ?? [];
  return found === undefined ? null : +found.replaceAll(',', '');
};

/* A cell that a spreadsheet would run as a formula gets a quote before it, as in every file of tieout. */
const FORMULA = new RegExp(${JSON.stringify(FORMULA.source)}, ${JSON.stringify(FORMULA.flags)});
const csvCell = (text, isNumber) => {
  const plain = isNumber && PLAIN.test(text) ? text.replaceAll(',', '').replace(/^[+]/, '') : text;
  const safe = !(isNumber && PLAIN.test(text)) && FORMULA.test(plain) ? "'" + plain : plain;
  return /[",\\r\\n]|^\\s|\\s$/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
};
const partsOf = (rows, index) => [...new Set(rows.flatMap((row) =>
  [...row.cells[index].querySelectorAll('[data-part]')].flatMap((part) => part.dataset.part.split(' '))))];
const csvOf = (head, rows) => {
  const columns = head.flatMap((th, index) => {
    const isNumber = th.classList.contains('number');
    const parts = partsOf(rows, index);
    if (parts.length === 0) return [{ name: th.dataset.label, isNumber, pick: (row) => textOf(row.cells[index]) }];
    return parts.map((name) => ({ name, isNumber: name === 'amount' || name === 'money', pick: (row) => {
      const found = row.cells[index].querySelectorAll('[data-part~="' + name + '"]');
      return [...found].map(textOf).join('; ');
    } }));
  });
  const lines = [columns.map(({ name }) => csvCell(name, false))];
  for (const row of rows) lines.push(columns.map(({ pick, isNumber }) => csvCell(pick(row), isNumber)));
  return lines.map((line) => line.join(',') + '\\n').join('');
};
const save = (name, text) => {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
};

const sortable = (head, body) => {
  for (const [index, th] of head.entries()) {
    const button = make('button', { type: 'button', className: 'sort' }, ...th.childNodes);
    th.append(button);
    th.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      const isDown = th.getAttribute('aria-sort') === 'ascending';
      for (const other of head) other.setAttribute('aria-sort', 'none');
      th.setAttribute('aria-sort', isDown ? 'descending' : 'ascending');
      const isNumber = th.classList.contains('number');
      const rows = [...body.rows].map((row) => {
        const value = valueOf(row.cells[index]);
        return { row, value, number: isNumber ? numberOf(value) : null };
      });
      const text = (a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0);
      const order = (a, b) => a.number !== null && b.number !== null
        ? a.number - b.number
        : (a.number === null) - (b.number === null) || text(a, b);
      rows.sort((a, b) => (isDown ? order(b, a) : order(a, b)));
      body.append(...rows.map(({ row }) => row));
    });
  }
};

const filters = (label, head, body, onChange) => {
  const id = (name) => label.id + '-' + name;
  const search = make('input', { type: 'search', id: id('search'), autocomplete: 'off' });
  const labelled = (name, control) =>
    make('span', { className: 'filter' }, make('label', { htmlFor: control.id }, name), control);
  const bar = make('span', { className: 'filters' }, labelled('Search', search));
  const facets = head.flatMap((th, index) => {
    if (!('facet' in th.dataset)) return [];
    const values = [...new Set([...body.rows].map((row) => valueOf(row.cells[index])))].sort();
    if (values.length < 2) return [];
    const select = make('select', { id: id('facet-' + index) }, make('option', { value: '' }, 'all'),
      ...values.map((value) => make('option', { value: '=' + value }, value)));
    bar.append(labelled(th.dataset.facet, select));
    return [{ index, select }];
  });
  const count = make('output', { className: 'count' });
  count.setAttribute('aria-live', 'polite');
  bar.append(count);
  const apply = () => {
    const wanted = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = !(row.textContent.toLowerCase().includes(wanted) && facets.every(({ index, select }) =>
        select.value === '' || select.value === '=' + valueOf(row.cells[index])));
      if (!row.hidden) shown += 1;
    }
    count.textContent = shown === body.rows.length ? '' : shown + ' of ' + body.rows.length + ' rows';
  };
  search.addEventListener('input', apply);
  for (const { select } of facets) select.addEventListener('change', apply);
  return bar;
};

let number = 0;
for (const table of document.querySelectorAll('main table')) {
  const body = table.tBodies[0];
  const head = [...table.tHead.rows[0].cells];
  for (const th of head) th.dataset.label = textOf(th);
  if (body.rows.length < 2) continue;
  number += 1;
  const tools = make('div', { className: 'tools', id: 'tools-' + number });
  tools.setAttribute('role', 'group');
  tools.setAttribute('aria-label', 'Table: ' + table.caption.textContent);
  if (body.rows.length > 5) tools.append(filters(tools, head, body));
  const name = (table.closest('section')?.id ?? 'table') + '.csv';
  const button = make('button', { type: 'button', className: 'save' }, 'Save as CSV');
  button.setAttribute('aria-label', 'Save as CSV: ' + table.caption.textContent);
  button.addEventListener('click', () => save(name, csvOf(head, [...body.rows].filter((row) => !row.hidden))));
  tools.append(button);
  sortable(head, body);
  table.closest('.scroll').before(tools);
}

const root = document.documentElement;
const themes = ['auto', 'light', 'dark'];
const theme = make('button', { type: 'button', className: 'theme' });
const show = (name) => {
  root.dataset.theme = name;
  theme.textContent = 'Colours: ' + name;
};
theme.addEventListener('click', () => show(themes[(themes.indexOf(root.dataset.theme) + 1) % themes.length]));
show('auto');
document.querySelector('nav').append(theme);

const reveal = () => {
  const target = document.getElementById(location.hash.slice(1));
  const details = target?.closest('details');
  if (!details) return;
  details.open = true;
  target.scrollIntoView();
};
addEventListener('hashchange', reveal);
reveal();
let closed = [];
addEventListener('beforeprint', () => {
  closed = [...document.querySelectorAll('details:not([open])')];
  for (const details of closed) details.open = true;
});
addEventListener('afterprint', () => { for (const details of closed) details.open = false; });
})();
`;
