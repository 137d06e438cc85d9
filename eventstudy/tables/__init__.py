"""Tables: one object, rendered as text, HTML, LaTeX, Markdown or a spreadsheet."""

from eventstudy.tables.printed import PrintedFrame, printed
from eventstudy.tables.table import P_VALUE, Section, Table, stars

__all__ = ["P_VALUE", "PrintedFrame", "Section", "Table", "printed", "stars"]
