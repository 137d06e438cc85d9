"""Tables: one object, rendered as text, HTML, LaTeX, Markdown or a spreadsheet."""

from eventstudy.tables.table import Section, Table, stars

__all__ = ["Section", "Table", "stars"]
