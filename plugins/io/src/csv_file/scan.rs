use crate::config::Delimiter;
use crate::lines::Broken;

/// Finds out line by line where records begin, which fields with newlines in them hide.
///
/// It follows the `csv` crate, which reads the fields, and notes what that crate puts up with.
#[derive(Debug)]
pub(super) struct Scan {
    delimiter: u8,
    state: State,
    /// How many bytes and lines are behind.
    offset: usize,
    line: u64,
    /// The field, from 1.
    column: u64,
    /// The last quote that a field began with.
    quote: Quote,
    records: Vec<Record>,
}

/// A record, and where it begins.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) flaw: Option<Broken>,
}

/// Where a quoted field begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quote {
    /// The byte, among those that were scanned.
    pub(super) begin: usize,
    pub(super) line: u64,
    pub(super) column: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before a record.
    Between,
    /// Before a field that is not the first.
    Begin,
    /// In a field without quotes.
    Plain,
    /// In a field with quotes.
    Quoted,
    /// Behind a quote in such a field: it ends, or the quote is doubled.
    Closing,
}

impl Scan {
    /// Begins with the line of this number.
    pub(super) fn new(delimiter: Delimiter, line: u64) -> Self {
        let quote = Quote { begin: 0, line, column: 1 };
        let (state, records) = (State::Between, Vec::new());
        Self { delimiter: delimiter.0, state, offset: 0, line, column: 1, quote, records }
    }

    /// The quote of a field that goes on in the next line.
    pub(super) fn open_quote(&self) -> Option<Quote> {
        (self.state == State::Quoted).then_some(self.quote)
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// Takes a line, with its end.
    pub(super) fn line(&mut self, line: &[u8]) {
        for byte in line {
            self.state = self.after(*byte);
            self.offset += 1;
        }
        self.line += 1;
    }

    fn after(&mut self, byte: u8) -> State {
        let is_end = matches!(byte, b'\r' | b'\n');
        match self.state {
            State::Quoted if byte == b'"' => return State::Closing,
            State::Quoted => return State::Quoted,
            State::Closing if byte == b'"' => return State::Quoted,
            State::Between if is_end => return State::Between,
            State::Between => {
                self.column = 1;
                self.records.push(Record { line: self.line, flaw: None });
            }
            _ => {}
        }
        if is_end {
            return State::Between;
        }
        if byte == self.delimiter {
            self.column += 1;
            return State::Begin;
        }
        match self.state {
            State::Between | State::Begin if byte == b'"' => {
                self.quote = Quote { begin: self.offset, line: self.line, column: self.column };
                State::Quoted
            }
            State::Closing => {
                self.note("text stands behind the quote that ends the field");
                State::Plain
            }
            _ => State::Plain,
        }
    }

    /// Notes what is wrong with the record, unless something else is.
    fn note(&mut self, message: &str) {
        if let Some(record) = self.records.last_mut() {
            let flaw = Broken { column: self.column, message: message.to_owned() };
            record.flaw.get_or_insert(flaw);
        }
    }
}
