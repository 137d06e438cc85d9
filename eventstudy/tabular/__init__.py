"""Tables as people have them: cells → numbers and days, frames → wide fields."""
