//! Accounting: one shape for invoices, bills, contacts and the ledger behind them.

mod company;
mod documents;
mod ledger;
mod payments;

pub use company::{
    AccountingCompany, AccountingContact, AccountingContactPage, AccountingContactPatch, ListAccountingContacts,
    NewAccountingContact,
};
pub use documents::{
    AccountingBill, AccountingBillPage, AccountingBillPatch, AccountingInvoice, AccountingInvoicePage, AccountingInvoicePatch,
    AccountingInvoiceStatus, AccountingLine, ListAccountingBills, ListAccountingInvoices, NewAccountingBill,
    NewAccountingInvoice,
};
pub use ledger::{
    AccountClass, JournalEntry, JournalEntryPage, JournalLine, LedgerAccount, LedgerAccountPage, ListJournalEntries,
    ListLedgerAccounts, NewJournalEntry, TaxRate, TaxRatePage,
};
pub use payments::{
    AccountingItem, AccountingItemPage, AccountingItemPatch, AccountingPayment, AccountingPaymentPage, ListAccountingItems,
    ListAccountingPayments, NewAccountingItem, NewAccountingPayment,
};

use super::engine;
use super::shared::{MAX_PAGE, Paging, changed};
use crate::Result;
use crate::connect::Connection;
use atom_macros::{api, handle};
use serde_json::json;

/// The books of a connected account.
///
/// Where the provider lacks an operation or an input, a call fails with `unsupported` before anything is sent. `not_found`,
/// `conflict`, `rate_limited` (wait for `retry_after`), `reauth_required` (connect the account again), `unavailable` (call again
/// later) and `provider` (change the input) are what the provider itself says.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let (_atom, connection) = atom_core::testing::example().await?;
/// use atom_core::{AccountingLine, ListAccountingInvoices, Money, NewAccountingInvoice};
///
/// let books = connection.accounting();
/// let price = Money { minor_units: 125_000, currency: "EUR".into() };
/// let line = AccountingLine { description: Some("Engine".into()), quantity: Some(1.0), total: Some(price), ..Default::default() };
/// let invoice = NewAccountingInvoice { contact_id: "babbage".into(), lines: vec![line], ..Default::default() };
/// let invoice = books.create_invoice(invoice).await?;
///
/// let of_babbage = ListAccountingInvoices { contact_id: Some("babbage".into()), ..Default::default() };
/// assert_eq!(books.list_invoices(of_babbage).await?.items[0].id, invoice.id);
/// assert_eq!(invoice.lines[0].description.as_deref(), Some("Engine"));
/// # Ok::<(), atom_core::Error>(()) }).unwrap();
/// ```
#[handle]
pub struct Accounting {
    pub(crate) connection: Connection,
}

#[api]
impl Accounting {
    /// The company whose books these are.
    pub async fn company(&self) -> Result<AccountingCompany> {
        engine::one(&self.connection, "accounting.get_company", &json!({})).await
    }

    /// Lists invoices, a page at a time.
    pub async fn list_invoices(&self, filter: ListAccountingInvoices) -> Result<AccountingInvoicePage> {
        let page = engine::list(&self.connection, "accounting.list_invoices", MAX_PAGE, &filter).await?;
        Ok(AccountingInvoicePage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One invoice.
    pub async fn get_invoice(&self, id: String) -> Result<AccountingInvoice> {
        engine::one(&self.connection, "accounting.get_invoice", &json!({ "id": id })).await
    }

    /// Creates an invoice. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_invoice(&self, invoice: NewAccountingInvoice) -> Result<AccountingInvoice> {
        engine::one(&self.connection, "accounting.create_invoice", &invoice).await
    }

    /// Changes an invoice: only what is given.
    pub async fn update_invoice(&self, id: String, changes: AccountingInvoicePatch) -> Result<AccountingInvoice> {
        engine::one(&self.connection, "accounting.update_invoice", &changed(&id, &changes)?).await
    }

    /// Deletes an invoice.
    pub async fn delete_invoice(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "accounting.delete_invoice", &json!({ "id": id })).await
    }

    /// Lists bills, a page at a time.
    pub async fn list_bills(&self, filter: ListAccountingBills) -> Result<AccountingBillPage> {
        let page = engine::list(&self.connection, "accounting.list_bills", MAX_PAGE, &filter).await?;
        Ok(AccountingBillPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One bill.
    pub async fn get_bill(&self, id: String) -> Result<AccountingBill> {
        engine::one(&self.connection, "accounting.get_bill", &json!({ "id": id })).await
    }

    /// Creates a bill. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_bill(&self, bill: NewAccountingBill) -> Result<AccountingBill> {
        engine::one(&self.connection, "accounting.create_bill", &bill).await
    }

    /// Changes a bill: only what is given.
    pub async fn update_bill(&self, id: String, changes: AccountingBillPatch) -> Result<AccountingBill> {
        engine::one(&self.connection, "accounting.update_bill", &changed(&id, &changes)?).await
    }

    /// Deletes a bill.
    pub async fn delete_bill(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "accounting.delete_bill", &json!({ "id": id })).await
    }

    /// Lists contacts, a page at a time.
    pub async fn list_contacts(&self, filter: ListAccountingContacts) -> Result<AccountingContactPage> {
        let page = engine::list(&self.connection, "accounting.list_contacts", MAX_PAGE, &filter).await?;
        Ok(AccountingContactPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One contact.
    pub async fn get_contact(&self, id: String) -> Result<AccountingContact> {
        engine::one(&self.connection, "accounting.get_contact", &json!({ "id": id })).await
    }

    /// Creates a contact. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_contact(&self, contact: NewAccountingContact) -> Result<AccountingContact> {
        engine::one(&self.connection, "accounting.create_contact", &contact).await
    }

    /// Changes a contact: only what is given.
    pub async fn update_contact(&self, id: String, changes: AccountingContactPatch) -> Result<AccountingContact> {
        engine::one(&self.connection, "accounting.update_contact", &changed(&id, &changes)?).await
    }

    /// Lists accounts, a page at a time.
    pub async fn list_accounts(&self, filter: ListLedgerAccounts) -> Result<LedgerAccountPage> {
        let page = engine::list(&self.connection, "accounting.list_accounts", MAX_PAGE, &filter).await?;
        Ok(LedgerAccountPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One account of the chart.
    pub async fn get_account(&self, id: String) -> Result<LedgerAccount> {
        engine::one(&self.connection, "accounting.get_account", &json!({ "id": id })).await
    }

    /// Lists payments, a page at a time.
    pub async fn list_payments(&self, filter: ListAccountingPayments) -> Result<AccountingPaymentPage> {
        let page = engine::list(&self.connection, "accounting.list_payments", MAX_PAGE, &filter).await?;
        Ok(AccountingPaymentPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One payment.
    pub async fn get_payment(&self, id: String) -> Result<AccountingPayment> {
        engine::one(&self.connection, "accounting.get_payment", &json!({ "id": id })).await
    }

    /// Creates a payment. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_payment(&self, payment: NewAccountingPayment) -> Result<AccountingPayment> {
        engine::one(&self.connection, "accounting.create_payment", &payment).await
    }

    /// Deletes a payment.
    pub async fn delete_payment(&self, id: String) -> Result<()> {
        engine::done(&self.connection, "accounting.delete_payment", &json!({ "id": id })).await
    }

    /// Lists journal entries, a page at a time.
    pub async fn list_journal_entries(&self, filter: ListJournalEntries) -> Result<JournalEntryPage> {
        let page = engine::list(&self.connection, "accounting.list_journal_entries", MAX_PAGE, &filter).await?;
        Ok(JournalEntryPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One journal entry.
    pub async fn get_journal_entry(&self, id: String) -> Result<JournalEntry> {
        engine::one(&self.connection, "accounting.get_journal_entry", &json!({ "id": id })).await
    }

    /// Creates a journal entry. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_journal_entry(&self, entry: NewJournalEntry) -> Result<JournalEntry> {
        engine::one(&self.connection, "accounting.create_journal_entry", &entry).await
    }

    /// Lists items, a page at a time.
    pub async fn list_items(&self, filter: ListAccountingItems) -> Result<AccountingItemPage> {
        let page = engine::list(&self.connection, "accounting.list_items", MAX_PAGE, &filter).await?;
        Ok(AccountingItemPage { items: page.items, next_cursor: page.next_cursor })
    }

    /// One item.
    pub async fn get_item(&self, id: String) -> Result<AccountingItem> {
        engine::one(&self.connection, "accounting.get_item", &json!({ "id": id })).await
    }

    /// Creates an item. Repeating the call creates another, unless the provider recognizes the repetition.
    pub async fn create_item(&self, item: NewAccountingItem) -> Result<AccountingItem> {
        engine::one(&self.connection, "accounting.create_item", &item).await
    }

    /// Changes an item: only what is given.
    pub async fn update_item(&self, id: String, changes: AccountingItemPatch) -> Result<AccountingItem> {
        engine::one(&self.connection, "accounting.update_item", &changed(&id, &changes)?).await
    }

    /// Lists tax rates, a page at a time.
    pub async fn list_tax_rates(&self, filter: Paging) -> Result<TaxRatePage> {
        let page = engine::list(&self.connection, "accounting.list_tax_rates", MAX_PAGE, &filter).await?;
        Ok(TaxRatePage { items: page.items, next_cursor: page.next_cursor })
    }
}
