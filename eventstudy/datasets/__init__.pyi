from .bans import BanAnnouncements as BanAnnouncements
from .official_lists import EntityList as EntityList
from .bans import ban_announcements as ban_announcements
from .official_lists import entity_list as entity_list
from .surveillance import surveillance_names as surveillance_names
from .surveillance import surveillance_prices as surveillance_prices
from .surveillance import surveillance_shares as surveillance_shares
