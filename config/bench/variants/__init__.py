"""What the product is compared with: the bare floor, and what one would write without thinking about speed."""
