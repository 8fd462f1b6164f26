"""The information plane of Shwartz-Ziv & Tishby."""
