"""Typed values as words: dates, times, money and numbers as people say them."""
