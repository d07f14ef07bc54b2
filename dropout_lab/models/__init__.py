"""Networks and their dropout sites, with seeds that keep conditions matched."""
