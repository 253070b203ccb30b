// Phone numbers out of what people paste and what spreadsheets write.

// The text of a file: UTF-8 with or without a mark in front, or the UTF-16 that
// spreadsheets call "Unicode text".
export async function readText(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = bytes[0] << 8 | bytes[1];
  const encoding = mark === 0xfffe ? 'utf-16le'
    : mark === 0xfeff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding).decode(bytes);
}

// What stands between fields is what the first line has most of.
function separatorOf(text) {
  const [line] = text.replace(/"[^"]*"/g, '').split(/[\r\n]/, 1);
  const often = separator => line.split(separator).length;
  return [',', ';', '\t'].reduce((most, each) =>
    often(each) > often(most) ? each : most);
}

// Reads CSV (RFC 4180; also with semicolons or tabs) into records of {line,
// fields}; line is where a record begins. Empty lines are none.
export function parse(text) {
  const separator = separatorOf(text);
  const records = [];
  let line = 1, fields = [], start = 1, field = '', quoted = false, open = false;
  const endField = () => {
    fields.push(field);
    field = '';
    open = false;
  };
  const endRecord = () => {
    endField();
    if (fields.some(each => each.trim()))
      records.push({line: start, fields});
    fields = [];
    start = line;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    const ends = char === '\n' || char === '\r' && text[i + 1] !== '\n';
    if (ends)
      line++;
    if (quoted && char === '"' && text[i + 1] === '"')
      field += text[++i];
    else if (quoted && char === '"')
      quoted = false;
    else if (quoted)
      field += char;
    else if (char === '"' && !open && !field.trim())
      quoted = open = true, field = '';
    else if (char === separator)
      endField();
    else if (ends)
      endRecord();
    else if (char !== '\r')
      field += char;
  }
  endRecord();
  return records;
}

// A number without what people put between its digits.
export const bare = text => text.replace(/[\s().\u2010-\u2014-]/g, '');

// Why this cannot be a phone number, or null. callmask has the last word.
export function fault(number) {
  if (/^\+[1-9]\d{6,14}$/.test(number))
    return null;
  if (/^\d{6,}$/.test(number))
    return 'must begin with + and the country code';
  if (/e\+?\d+$/i.test(number))
    return 'was rounded by a spreadsheet: have the column written as text';
  return 'is not a phone number';
}

const NAMES = /^(phone|masked)?(number|phone)s?$/;

// The column with the numbers: {at, header}, at -1 if there is none. By its name
// in the first record, else the first that has mostly numbers.
function columnOf(records) {
  const [first] = records;
  const named = first.fields.findIndex(name =>
    NAMES.test(name.toLowerCase().replace(/[^a-z]/g, '')));
  if (named >= 0)
    return {at: named, header: true};
  const some = records.slice(0, 50);
  const looks = record => column => !fault(bare(record.fields[column] || ''));
  const at = first.fields.findIndex((_, column) =>
    some.filter(record => looks(record)(column)).length * 2 >= some.length);
  return {at, header: at >= 0 && !looks(first)(at) && some.length > 1};
}

// The numbers in a CSV text: [{line, text}], or an Error.
export function numbersOfCsv(text) {
  const records = parse(text.replace(/^\ufeff/, ''));
  if (!records.length)
    throw new Error('There is nothing in this file.');
  const {at, header} = columnOf(records);
  if (at < 0)
    throw new Error(
      'No column of this file is called “number” or “phone”, or has phone numbers.');
  return records.slice(header ? 1 : 0)
    .map(({line, fields}) => ({line, text: (fields[at] || '').trim()}));
}

// The numbers that somebody wrote: by lines, commas or semicolons.
export const numbersOfText = text => text.split('\n').flatMap((words, line) =>
  words.split(/[,;]/).map(each => each.trim()).filter(Boolean)
    .map(each => ({line: line + 1, text: each})));
